import type { DecisionRequest } from './decision.ts';
import type { Outcome, Phase } from './phase.ts';

/** The part of an experiment's state on which it depends whether a decision may be taken. */
export interface DecisionContext {
  readonly phase: Phase | Outcome;
  /** Head commit of the evidence that was shown, null before there is evidence. */
  readonly evidenceHead: string | null;
  /** The attempt that the evidence is of, null before there is evidence. */
  readonly evidenceAttempt: number | null;
  /** A decision that was accepted and is being carried out. */
  readonly decided: boolean;
  readonly attemptsLeft: number;
  readonly gpuHoursLeft: number;
  /** The jobs ended in a way that only a person can answer: the experiment waits for a word without any evidence. */
  readonly stalled: boolean;
}

export type DecisionAnswer =
  | { readonly status: 'accept' }
  | { readonly status: 'refuse'; readonly why: string };

/** One job each; a task note may ask for no more either. */
const mostSeeds = 32;

const ended = new Set<Phase | Outcome>(['merged', 'rejected', 'stopped', 'failed', 'merging', 'recording']);

/** Whether a decision is taken now or refused, with the reason that the person is shown. */
export function decideDecision(request: DecisionRequest, context: DecisionContext): DecisionAnswer {
  if (ended.has(context.phase)) return refuse(`the experiment is already ${context.phase}`);
  if (context.decided) return refuse('another decision is being carried out');
  // Stopping must be possible at any time; every other word is about what was shown.
  if (request.kind === 'stop') return { status: 'accept' };
  if (context.stalled && request.kind !== 'merge') return decideContent(request, context);
  if (request.kind === 'reject' && context.phase !== 'deciding') {
    return refuse(`there is no evidence yet: the experiment is ${context.phase}; to end it now say stop`);
  }
  if (context.phase !== 'deciding' || context.evidenceHead === null) {
    return refuse(`there is no evidence yet: the experiment is ${context.phase}`);
  }
  if (request.head !== undefined && !context.evidenceHead.startsWith(request.head.toLowerCase())) {
    return refuse(
      `the decision names head ${request.head}, the evidence is about ${context.evidenceHead.slice(0, 12)}`,
    );
  }
  if (request.head !== undefined && request.head.length < 7) {
    return refuse(`the head "${request.head}" is too short: give at least 7 characters`);
  }
  if (request.attempt !== undefined && request.attempt !== context.evidenceAttempt) {
    return refuse(
      `the decision is about attempt ${request.attempt}, the evidence is of attempt ${context.evidenceAttempt ?? 'none'}`,
    );
  }
  return decideContent(request, context);
}

function decideContent(request: DecisionRequest, context: DecisionContext): DecisionAnswer {
  if (request.kind === 'revise' && (request.instructions ?? '').trim() === '') {
    return refuse('revise needs instructions for the coding agent');
  }
  if ((request.kind === 'revise' || request.kind === 'rerun') && context.attemptsLeft < 1) {
    return refuse('the budget of the task note allows no further attempt (budget.attempts)');
  }
  if ((request.kind === 'revise' || request.kind === 'rerun') && context.gpuHoursLeft <= 0) {
    return refuse('the GPU hours that the task note allows are used up (budget.gpu_hours)');
  }
  if (request.kind === 'rerun' && request.seeds !== undefined && !validSeeds(request.seeds)) {
    return refuse(`seeds must be different whole numbers, 0 or larger, 1 to ${mostSeeds} of them`);
  }
  return { status: 'accept' };
}

function validSeeds(seeds: readonly number[]): boolean {
  return (
    seeds.length > 0 &&
    seeds.length <= mostSeeds &&
    new Set(seeds).size === seeds.length &&
    seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 0)
  );
}

function refuse(why: string): DecisionAnswer {
  return { status: 'refuse', why };
}
