import { allKeys, definitionOf, type Key, type Zone } from '../../infra/config/keys.ts';
import { loadPartially } from '../../infra/config/load-partially.ts';
import { nearest } from '../../infra/config/nearest.ts';
import { UsageError } from '../cli/cli-errors.ts';
import type { Asker } from './asker.ts';
import type { Values } from './env-text.ts';
import { isSecret, questionsFor, type AskedSetting } from './questions.ts';

export interface CollectOptions {
  readonly zones: readonly Zone[];
  /** What stands in the file now, or is taken from the environment. */
  readonly present: Values;
  /** By the command line. */
  readonly given: Values;
  /** null: nothing is asked. */
  readonly asker: Asker | null;
  /** Relative file names are taken from here. */
  readonly cwd: string;
}

/** The values that the file is to hold: what was given, what a person answers, what is there already. */
export async function collectValues({ zones, present, given, asker, cwd }: CollectOptions): Promise<Values> {
  const values: Record<string, string> = { ...present, ...given };
  if (asker === null) return values;
  for (const asked of questionsFor(zones)) {
    const { key } = asked;
    if (given[key] !== undefined || (values[`${key}_FILE`] ?? '') !== '') continue;
    const question = {
      message: `${key}: ${asked.message}`,
      fallback: values[key] ?? definitionOf(key).fallback ?? '',
      wrong: (answer: string) => wrongWith(asked, answer, cwd),
    };
    values[key] = isSecret(key) ? await asker.secret(question) : await asker.text(question);
  }
  return values;
}

/** `KEY=VALUE` words. A secret has no place in a command line, which everybody on the machine can read. Throws `UsageError`. */
export function readGiven(words: readonly string[]): Values {
  const names = allKeys().flatMap((key) => (isSecret(key) ? [key, `${key}_FILE`] : [key]));
  return Object.fromEntries(
    words.map((word) => {
      const split = word.indexOf('=');
      const key = word.slice(0, split);
      if (split < 1)
        throw new UsageError(
          `--set: expected KEY=VALUE, got a word of ${word.length} characters without "=".`,
        );
      if (!names.includes(key) && !/^(?:UV_|TEMPORAL_)/.test(key)) {
        const meant = nearest(key, names);
        throw new UsageError(
          `--set ${key}: there is no such key${meant === undefined ? '; .env.example has all' : `; did you mean ${meant}?`}`,
        );
      }
      if (allKeys().some((known) => known === key && isSecret(known))) {
        throw new UsageError(
          `--set ${key}: a secret in a command line can be read by everybody on this machine, and stays in the history of the shell. ` +
            `Expected --set ${key}_FILE=<path>, or the secret in the environment with --from-environment, or an answer to the question.`,
        );
      }
      return [key, word.slice(split + 1)];
    }),
  );
}

/** What is still missing in these zones, in the order of the questions. */
export function stillMissing(zones: readonly Zone[], values: Values): Key[] {
  return questionsFor(zones).flatMap(({ key, required }) =>
    required && (values[key] ?? '') === '' && (values[`${key}_FILE`] ?? '') === '' ? [key] : [],
  );
}

function wrongWith({ key, required }: AskedSetting, answer: string, cwd: string): string | null {
  if (answer === '')
    return required ? 'Needed in this zone; leave with Ctrl-C, or take it from a file with --set.' : null;
  const { home: _home, unknown: _unknown, ...parts } = loadPartially({ env: { [key]: answer }, cwd });
  for (const part of Object.values(parts)) {
    const problem = part.status === 'wrong' ? part.problems.find((each) => each.key === key) : undefined;
    if (problem !== undefined) return `Found ${problem.found}, expected ${problem.expected}.`;
  }
  return null;
}
