import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

import type { Environment } from '../env.ts';
import type { ConfigProblem } from './config-error.ts';
import { definitionOf, type Key } from './keys.ts';

/**
 * Reads one key at a time and writes down what is wrong instead of throwing, so that everything wrong is told at once.
 * What it returns for a wrong value is a placeholder that nobody sees: the caller throws when there are problems.
 */
export interface Reader {
  text(key: Key): string | undefined;
  required(key: Key, todo: string): string;
  /** Absolute path of `<KEY>_FILE`, undefined when the credential does not come by a file. */
  secretFile(key: Key): string | undefined;
  url(key: Key, protocols?: readonly string[]): string | undefined;
  number(key: Key, range: { readonly min: number; readonly max: number; readonly whole?: true }): number;
  flag(key: Key): boolean;
  list(key: Key): readonly string[];
  oneOf<T extends string>(key: Key, choices: readonly T[]): T;
  complain(problem: ConfigProblem): void;
}

/** `problems` is filled while reading; relative file names are taken from `cwd`. */
export function createReader(env: Environment, cwd: string, problems: ConfigProblem[]): Reader {
  // One key may be read for two zones.
  const complain = (problem: ConfigProblem): void => {
    if (!problems.some(({ key }) => key === problem.key)) problems.push(problem);
  };

  const text = (key: Key): string | undefined => {
    const { secrecy, fallback } = definitionOf(key);
    const value = (secrecy === 'credential' ? secret(key) : given(env, key)) ?? fallback;
    return value === '' ? undefined : value;
  };

  const secret = (key: Key): string | undefined => {
    const direct = given(env, key);
    const file = given(env, `${key}_FILE`);
    if (file === undefined) return direct === undefined ? undefined : printable(key, direct);
    if (direct !== undefined) {
      complain({
        key: `${key}_FILE`,
        found: `a file beside ${key} itself`,
        expected: 'one of the two',
        todo: `remove one`,
      });
    }
    const content = readSecretFile(`${key}_FILE`, resolve(cwd, file), complain);
    return content === undefined ? undefined : printable(key, content);
  };

  const printable = (key: Key, value: string): string => {
    // A private key has lines; anything else with a line break or a blank was pasted wrongly and would break a header.
    if (key === 'GITHUB_APP_PRIVATE_KEY' || /^[\x21-\x7e]+$/.test(value)) return value;
    const expected = 'printable ASCII without blanks or line breaks';
    complain({ key, found: shapeOf(key, value), expected, todo: 'copy it again' });
    return value;
  };

  const wrong = (key: Key, value: string, expected: string): void =>
    complain({ key, found: shapeOf(key, value), expected, todo: '' });

  return {
    text,
    complain,
    required(key, todo) {
      const value = text(key);
      const complained = problems.some((problem) => problem.key === key || problem.key === `${key}_FILE`);
      if (value === undefined && !complained) complain({ key, found: 'nothing', expected: 'a value', todo });
      return value ?? '';
    },
    secretFile(key) {
      const file = given(env, `${key}_FILE`);
      return file === undefined ? undefined : resolve(cwd, file);
    },
    url(key, protocols = ['http:', 'https:']) {
      const value = text(key);
      if (value === undefined) return undefined;
      const wanted = protocols.map((protocol) => `${protocol}//`).join(' or ');
      const expected = `an address that begins with ${wanted}`;
      if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol)) {
        wrong(key, value, expected);
      } else if (definitionOf(key).secrecy === undefined && new URL(value).username !== '') {
        const problem = { key, found: 'an address with a user name in it', expected: 'none in it' };
        complain({ ...problem, todo: 'give the credential by its own key' });
      }
      return value.replace(/\/+$/, '');
    },
    number(key, { min, max, whole }) {
      const value = text(key) ?? '';
      const number = value.trim() === '' ? Number.NaN : Number(value);
      const fits = number >= min && number <= max && (whole !== true || Number.isInteger(number));
      if (!fits) wrong(key, value, `a ${whole ? 'whole number' : 'number'} from ${min} to ${max}`);
      return number;
    },
    flag(key) {
      const value = text(key) ?? '';
      if (!['true', 'false', '1', '0'].includes(value)) wrong(key, value, '"true" or "false"');
      return value === 'true' || value === '1';
    },
    list(key) {
      return (text(key) ?? '').split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]));
    },
    oneOf(key, choices) {
      const value = text(key) ?? '';
      const choice = choices.find((candidate) => candidate === value);
      if (choice === undefined) wrong(key, value, `one of ${choices.join(', ')}`);
      return choice ?? (value as (typeof choices)[number]);
    },
  };
}

/** A key that is there but empty counts as not given, as in a copied `.env.example`. */
export function given(env: Environment, key: string): string | undefined {
  const value = env[key];
  return value === undefined || value.trim() === '' ? undefined : value;
}

function shapeOf(key: Key, value: string): string {
  if (definitionOf(key).secrecy !== undefined) return `a secret of ${value.length} characters`;
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}…` : value);
}

function readSecretFile(
  key: string,
  path: string,
  complain: (problem: ConfigProblem) => void,
): string | undefined {
  try {
    if ((statSync(path).mode & 0o004) !== 0) {
      const expected = 'one that others may not read';
      complain({ key, found: `"${path}", which everybody may read`, expected, todo: `chmod o-r ${path}` });
    }
    const content = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    if (content.trim() !== '') return content;
    complain({ key, found: `"${path}", which is empty`, expected: 'the secret in it', todo: '' });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    complain({ key, found: `"${path}" (${code})`, expected: 'a file that can be read', todo: '' });
  }
  return undefined;
}
