import type { Command } from 'commander';

import type { DecisionRequest } from '../../../domain/decision.ts';
import type { Experiments } from '../../experiments.ts';
import { UsageError } from '../cli-errors.ts';
import { actor, withExperiments, withJson, type CliContext, type DataOptions } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';

interface DecisionOptions extends DataOptions {
  readonly head?: string;
  readonly reason?: string;
  readonly by?: string;
}

const commands = {
  merge: 'merges what the experiment shows now: squash, bound to the head commit',
  reject: 'closes the pull request without merging and writes the note',
  stop: 'stops the experiment in any phase, its jobs too',
} as const;
type SpokenKind = keyof typeof commands;

/** `merge`, `reject` and `stop`: the PI's word, answered or refused at once. */
export function addDecisions(program: Command, context: CliContext): void {
  for (const kind of Object.keys(commands) as SpokenKind[]) {
    withJson(program.command(`${kind} <id>`))
      .description(commands[kind])
      .option('--head <sha>', 'the commit that the decision is about; void when another one is shown')
      .option('--reason <text>', 'why, for the record')
      .option('--by <name>', 'who decides, for the record')
      .action(async (id: string, options: DecisionOptions) => {
        await withExperiments(context, options, async ({ experiments, output }) => {
          const head = readHead(options.head) ?? (await shownHead(experiments, kind, id));
          const by = actor(options.by, context.env);
          const request: DecisionRequest = { kind, by, head, reason: options.reason };
          await experiments.decide(id, request);
          const about = head === undefined ? '' : ` (head ${head.slice(0, 12)})`;
          const next = `Follow it: ${context.program} watch ${id}`;
          output.answer({ id, accepted: request }, [`Accepted: ${kind} ${id}${about}.`, next]);
          return exitCodes.done;
        });
      });
  }
}

function readHead(head: string | undefined): string | undefined {
  if (head === undefined || /^[0-9a-f]{7,40}$/i.test(head)) return head?.toLowerCase();
  throw new UsageError(`--head is "${head}": expected 7 to 40 hexadecimal digits of a commit.`);
}

/** A word about what is shown is bound to it at this moment; stopping is about the experiment whatever it shows. */
async function shownHead(
  experiments: Experiments,
  kind: SpokenKind,
  id: string,
): Promise<string | undefined> {
  if (kind === 'stop') return undefined;
  const { status } = await experiments.see(id);
  return status?.evidence?.headSha;
}
