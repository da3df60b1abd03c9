import { InvalidArgumentError, type Command } from 'commander';

import type { DecisionKind, DecisionRequest } from '../../../domain/decision.ts';
import type { Experiments } from '../../experiments.ts';
import { UsageError } from '../cli-errors.ts';
import { actor, withExperiments, withJson, type CliContext, type DataOptions } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';

interface DecisionOptions extends DataOptions {
  readonly head?: string;
  readonly reason?: string;
  readonly by?: string;
}

interface RerunOptions extends DecisionOptions {
  readonly seeds?: readonly number[];
}

/** What a decision says beyond who and why. */
type Content = Pick<DecisionRequest, 'instructions' | 'seeds'>;

/** `merge`, `reject`, `revise`, `rerun` and `stop`: the PI's word, answered or refused at once. */
export function addDecisions(program: Command, context: CliContext): void {
  const say = (
    kind: DecisionKind,
    id: string,
    options: DecisionOptions,
    content: Content = {},
  ): Promise<void> => sayDecision(context, kind, id, options, content);

  decision(
    program,
    'merge <id>',
    'merges what the experiment shows now: squash, bound to the head commit',
  ).action((id: string, options: DecisionOptions) => say('merge', id, options));
  decision(program, 'reject <id>', 'closes the pull request without merging and writes the note').action(
    (id: string, options: DecisionOptions) => say('reject', id, options),
  );
  decision(
    program,
    'revise <id> <instructions>',
    'sends the coding agent back with your words, then trains again',
  ).action((id: string, instructions: string, options: DecisionOptions) =>
    say('revise', id, options, { instructions }),
  );
  decision(program, 'rerun <id>', 'trains the same head once more, as a new attempt')
    .option('--seeds <list>', 'for example 3,4,5; otherwise new ones, or those whose jobs failed', readSeeds)
    .action((id: string, options: RerunOptions) => say('rerun', id, options, { seeds: options.seeds }));
  decision(program, 'stop <id>', 'stops the experiment in any phase, its jobs too').action(
    (id: string, options: DecisionOptions) => say('stop', id, options),
  );
}

function decision(program: Command, usage: string, description: string): Command {
  return withJson(program.command(usage))
    .description(description)
    .option('--head <sha>', 'the commit that the decision is about; void when another one is shown')
    .option('--reason <text>', 'why, for the record')
    .option('--by <name>', 'who decides, for the record');
}

async function sayDecision(
  context: CliContext,
  kind: DecisionKind,
  id: string,
  options: DecisionOptions,
  content: Content,
): Promise<void> {
  await withExperiments(context, options, async ({ experiments, output }) => {
    const named = readHead(options.head);
    const shown = named === undefined ? await shownNow(experiments, kind, id) : {};
    const head = named ?? shown.head;
    const by = actor(options.by, context.env);
    const request: DecisionRequest = { kind, by, ...shown, head, reason: options.reason, ...content };
    await experiments.decide(id, request);
    const about = head === undefined ? '' : ` (head ${head.slice(0, 12)})`;
    const next = `Follow it: ${context.program} watch ${id}`;
    output.answer({ id, accepted: request }, [`Accepted: ${kind} ${id}${about}.`, next]);
    return exitCodes.done;
  });
}

function readSeeds(text: string): readonly number[] {
  const words = text.split(',').map((word) => word.trim());
  if (words.every((word) => /^\d{1,9}$/.test(word))) return words.map(Number);
  throw new InvalidArgumentError(`expected whole numbers with commas between, for example 0,1,2.`);
}

function readHead(head: string | undefined): string | undefined {
  if (head === undefined || /^[0-9a-f]{7,40}$/i.test(head)) return head?.toLowerCase();
  throw new UsageError(`--head is "${head}": expected 7 to 40 hexadecimal digits of a commit.`);
}

/** A word about what is shown is bound to it at this moment; stopping is about the experiment whatever it shows. */
async function shownNow(
  experiments: Experiments,
  kind: DecisionKind,
  id: string,
): Promise<Pick<DecisionRequest, 'head' | 'attempt'>> {
  if (kind === 'stop') return {};
  const { status } = await experiments.see(id);
  const evidence = status?.evidence ?? null;
  return evidence === null ? {} : { head: evidence.headSha, attempt: evidence.attempt };
}
