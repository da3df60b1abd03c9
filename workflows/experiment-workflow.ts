import { CancellationScope, isCancellation } from '@temporalio/workflow';

import type { Decision } from '../domain/decision.ts';
import type { Finding } from '../domain/decide-gate.ts';
import type { ExperimentInput, ExperimentResult } from '../domain/experiment.ts';
import { adopt } from './adopt.ts';
import { awaitDecision } from './await-decision.ts';
import { closePullRequest, merge, record } from './conclude.ts';
import { enterPhase, openExperiment, type Experiment } from './experiment-state.ts';
import { isFailure, namedFailure, tried } from './failures.ts';
import { hear } from './hear.ts';
import { lookAtPullRequest } from './look-at-pull-request.ts';
import { listen } from './messages.ts';
import { freeze, implement, noteOf, plan } from './plan-and-code.ts';
import { propose } from './propose.ts';
import { listenToRemarks } from './remarks.ts';
import { comment, report, showEvidence } from './report.ts';
import { review } from './review.ts';
import { beside } from './scopes.ts';
import { train } from './train.ts';

/**
 * The way of an experiment, from the idea to the permanent note. It waits for weeks where it must, and it ends in exactly
 * one outcome: merged, rejected, stopped, or failed (then this workflow fails with the same type and message).
 */
export async function ExperimentWorkflow(input: ExperimentInput): Promise<ExperimentResult> {
  const experiment = openExperiment(input);
  const way = new CancellationScope();
  listen(experiment, () => way.cancel());
  listenToRemarks(experiment);
  let decision: Decision;
  try {
    const hearing = (): Promise<void> => hear(experiment, () => way.cancel());
    decision = await way.run(() => beside(hearing, () => untilDecided(experiment)));
  } catch (error) {
    // Whatever ended the way, what is left to do must be done also when the workflow itself was cancelled.
    return CancellationScope.nonCancellable(() => concludeEarly(experiment, error));
  }
  return CancellationScope.nonCancellable(() => conclude(experiment, decision));
}

/** Plans, codes, proves, trains and reports, again and again, until the PI merges or rejects. */
async function untilDecided(experiment: Experiment): Promise<Decision> {
  await plan(experiment);
  let instructions: string | null = null;
  for (;;) {
    await proposeReviewed(experiment, instructions);
    const decision = await trainAndDecide(experiment);
    if (decision.kind !== 'revise') return decision;
    instructions = decision.instructions ?? '';
  }
}

/**
 * From the change to a pull request that the gate lets pass; findings go back to the coding agent. The change of a person is
 * never worked on by the agent: their next push is what the gate looks at then.
 */
async function proposeReviewed(experiment: Experiment, instructions: string | null): Promise<void> {
  const isPersons = experiment.input.source.kind === 'pull-request';
  if (isPersons) await adopt(experiment);
  else await implement(experiment, { findings: [], instructions });
  for (;;) {
    await freeze(experiment);
    if (!isPersons) await propose(experiment);
    const answer = await review(experiment);
    if (answer.status === 'pass') return;
    if (answer.status === 'moved') {
      await adopt(experiment);
      continue;
    }
    experiment.repairs += 1;
    await repair(experiment, answer.findings);
  }
}

/** An agent that finds nothing to change has had its say: the gate then waits for a person instead of asking once more. */
async function repair(experiment: Experiment, findings: readonly Finding[]): Promise<void> {
  try {
    await implement(experiment, { findings, instructions: null });
  } catch (error) {
    if (!isFailure(error, 'ChangeEmpty')) throw error;
    experiment.repairs = Math.max(experiment.repairs, experiment.input.policy.maxRepairs);
  }
}

/** Trains the present head, and again with other seeds for as long as the PI asks for that. */
async function trainAndDecide(experiment: Experiment): Promise<Decision> {
  let seeds: readonly number[] = noteOf(experiment).seeds;
  for (;;) {
    // The comment tells of what is under way: the jobs need not wait for it.
    const [early] = await Promise.all([train(experiment, seeds), comment(experiment)]);
    const decision = early ?? (await reportAndDecide(experiment));
    if (decision.kind !== 'rerun') return decision;
    experiment.decision = null;
    seeds = decision.seeds ?? nextSeeds(experiment);
  }
}

async function reportAndDecide(experiment: Experiment): Promise<Decision> {
  await report(experiment);
  return decide(experiment);
}

/** Waits, for as long as it takes, for a decision that can be carried out. */
async function decide(experiment: Experiment): Promise<Decision> {
  for (;;) {
    enterPhase(experiment, 'deciding', "the PI's decision: merge, reject, revise, rerun or stop");
    await lookAtPullRequest(experiment);
    await showEvidence(experiment);
    const decision = await awaitDecision(experiment);
    if (decision.kind === 'revise') experiment.decision = null;
    if (decision.kind !== 'merge' || (await CancellationScope.nonCancellable(() => merge(experiment))))
      return decision;
  }
}

async function conclude(experiment: Experiment, decision: Decision): Promise<ExperimentResult> {
  const outcome = decision.kind === 'merge' ? 'merged' : 'rejected';
  if (outcome === 'rejected') await tried('closing the pull request', () => closePullRequest(experiment));
  await record(experiment, outcome);
  return resultOf(experiment, outcome);
}

/** Stopped by the PI, cancelled by an operator, or failed: the note is written all the same. */
async function concludeEarly(experiment: Experiment, error: unknown): Promise<ExperimentResult> {
  const cancelled = isCancellation(error);
  if (!cancelled) {
    const { type, message } = namedFailure(error);
    experiment.failure = { type, message };
  }
  if (cancelled) await tried('closing the pull request', () => closePullRequest(experiment));
  await record(experiment, cancelled ? 'stopped' : 'failed');
  const stoppedByPi = cancelled && experiment.decision?.kind === 'stop';
  if (!stoppedByPi) throw error;
  return resultOf(experiment, 'stopped');
}

/** Seeds that were not used yet, as many as the task note asks for. */
function nextSeeds(experiment: Experiment): number[] {
  const used = experiment.attempts.flatMap(({ jobs }) => jobs.map(({ seed }) => seed));
  const first = Math.max(-1, ...used) + 1;
  return noteOf(experiment).seeds.map((_, index) => first + index);
}

function resultOf(experiment: Experiment, outcome: ExperimentResult['outcome']): ExperimentResult {
  return {
    outcome,
    pullRequest: experiment.pullRequest?.url ?? null,
    mergeSha: experiment.mergeSha,
    note: experiment.writtenNote?.path ?? null,
  };
}
