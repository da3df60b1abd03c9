import { createInterface } from 'node:readline/promises';

import { join } from 'node:path';

import type { Command } from 'commander';

import { createVault } from '../../../activities/notes/vault.ts';
import type { Remark } from '../../../domain/remark.ts';
import { section } from '../../../infra/config/config.ts';
import { loadConfig } from '../../../infra/config/load-config.ts';
import { Failure } from '../../../infra/failure.ts';
import { ensureTools } from '../../../infra/tools/ensure-tools.ts';
import { toolsRoot } from '../../../infra/tools/tools-root.ts';
import { ClientError } from '../../client-error.ts';
import { discuss } from '../../discuss/discuss.ts';
import { UsageError } from '../cli-errors.ts';
import { actor, withExperiments, withJson, type CliContext, type DataOptions } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';

interface DiscussOptions extends DataOptions {
  readonly by?: string;
}

/** `discuss`: Gemini CLI with the evidence at hand; what is said is kept for the note. */
export function addDiscuss(program: Command, context: CliContext): void {
  withJson(program.command('discuss <id> [question]'))
    .description(
      'talks with Gemini CLI about the results: one question, or on a terminal as many as you like',
    )
    .option('--by <name>', 'who asks, for the record')
    .action(async (id: string, question: string | undefined, options: DiscussOptions) => {
      await withExperiments(context, options, async ({ experiments, output }) => {
        const config = loadConfig({ env: context.env, zones: ['local'], cwd: context.cwd });
        const material = await experiments.material(id);
        const scratchDir = join(config.home, 'agents');
        const tools = await ensureTools({
          root: toolsRoot(context.env),
          which: ['agents'],
          environment: context.env,
          log: (line) => output.warn(line),
        });
        const remarks: Remark[] = [];
        const asker = question === undefined ? askOnTerminal(context) : askOnce(question);
        try {
          await foreseen(
            discuss({
              id,
              by: actor(options.by, context.env),
              material,
              open: createVault({ vault: section(config, 'vault'), scratchDir, environment: context.env }),
              gemini: section(config, 'gemini'),
              limits: section(config, 'agents'),
              argv: tools.gemini,
              scratchDir,
              environment: context.env,
              signal: context.signal,
              nextQuestion: asker.next,
              async onAnswer(remark) {
                remarks.push(remark);
                const kept = await experiments.remark(id, remark);
                output.say(`${output.json ? '' : '\n'}${readable(remark.answer)}\n`);
                if (!kept)
                  output.warn(
                    `The experiment has ended and its note is written; this is kept in ${join(scratchDir, 'discussions', `${id}.jsonl`)}.`,
                  );
              },
            }),
          );
        } finally {
          asker.close();
        }
        output.answer({ id, remarks }, []);
        return exitCodes.done;
      });
    });
}

interface Asker {
  readonly next: () => Promise<string | null>;
  readonly close: () => void;
}

function askOnce(question: string): Asker {
  if (question.trim() === '')
    throw new UsageError('The question is empty: ask something, or give none and ask on the terminal.');
  const questions = [question.trim()];
  return { next: async () => questions.shift() ?? null, close: () => undefined };
}

function askOnTerminal({ streams, signal, program }: CliContext): Asker {
  if (streams.stdout.isTTY !== true || !process.stdin.isTTY) {
    throw new UsageError(`Without a terminal give the question as well: ${program} discuss <id> "…"`);
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  return {
    async next() {
      for (;;) {
        const line = await terminal.question('you (empty to end)> ', { signal });
        return line.trim() === '' ? null : line.trim();
      }
    },
    close: () => terminal.close(),
  };
}

/** What the agent could not do is told as what Temporal could not: with its name, and what to do. */
async function foreseen<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const kind = error.type === 'AgentUnavailable' ? 'unreachable' : 'refused';
    throw new ClientError(kind, `${error.type}: ${error.message}`, error);
  }
}

/** Paragraphs stay; no character may move somebody's cursor. */
function readable(answer: string): string {
  // oxlint-disable-next-line no-control-regex -- finding them is the purpose
  return answer.replaceAll(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/g, '');
}
