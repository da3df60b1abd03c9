import {
  CancellationScope,
  condition,
  isCancellation,
  ParentClosePolicy,
  startChild,
  workflowInfo,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';

import { jobWorkflowId, wandbRunId } from '../domain/ids.ts';
import type { JobStatus } from '../domain/experiment.ts';
import type { PreparedJob } from '../activities/attempts/interface.ts';
import { attempts } from './activities.ts';
import { mirrorRun, syncRun } from './bring-run.ts';
import { keepBudget, requireBudget } from './budget.ts';
import { jobSettledSignal, stepTimeout } from './contract.ts';
import { enterPhase, type Attempt, type Experiment } from './experiment-state.ts';
import { followJobs } from './follow-jobs.ts';
import { failWith, type NamedFailure, namedFailure, tried } from './failures.ts';
import type { FinishedJob, JobBill, JobWorkflowInput, TrainedJob } from './job.ts';
import type { JobWorkflow } from './job-workflow.ts';
import { implementationOf, noteOf } from './plan-and-code.ts';
import { beside } from './scopes.ts';
import { showLive } from './show-live.ts';

/** A seed of an attempt that did not come to an acknowledged run. */
export interface FailedSeed {
  readonly seed: number;
  readonly failure: NamedFailure;
}

/**
 * One submission of the command at the present head: one job for each seed, until all have ended and are synced. Seeds
 * that trained well count even when others failed; those are returned.
 */
export async function runAttempt(
  experiment: Experiment,
  seeds: readonly number[],
): Promise<readonly FailedSeed[]> {
  const note = noteOf(experiment);
  requireBudget(experiment);
  enterPhase(experiment, 'submitting', seeds.length === 1 ? 'the job' : `${seeds.length} jobs`);
  const attempt = openAttempt(experiment, seeds);
  experiment.live = null;
  const prepared = await attempts.writeAttempt.executeWithOptions({ summary: `attempt ${attempt.number}` }, [
    {
      experimentId: experiment.input.id,
      attempt: attempt.number,
      headSha: attempt.headSha,
      environmentDigest: experiment.environment?.digest ?? '',
      note,
      runs: attempt.jobs.map(({ seed, runId }) => ({ seed, runId })),
    },
  ]);
  const jobs = new CancellationScope();
  const results = await beside(
    () =>
      Promise.all([
        followJobs(experiment, attempt),
        showLive(experiment, attempt),
        keepBudget(experiment, attempt, () => jobs.cancel()),
      ]),
    () => jobs.run(() => Promise.allSettled(prepared.map((job) => runSeed(experiment, attempt, job)))),
  );
  return collect(experiment, attempt, results);
}

function openAttempt(experiment: Experiment, seeds: readonly number[]): Attempt {
  const number = experiment.nextAttempt;
  experiment.nextAttempt += 1;
  const token = workflowInfo().firstExecutionRunId.slice(0, 6);
  const attempt: Attempt = {
    number,
    headSha: implementationOf(experiment).headSha,
    overBudget: null,
    running: new Map(),
    jobs: seeds.map((seed) => ({
      seed,
      state: 'submitting',
      detail: '',
      jobId: null,
      runId: wandbRunId(experiment.input.id, number, seed, token),
      runUrl: null,
      outcome: null,
      gpuHours: 0,
      question: null,
      duplicates: [],
      peakMemoryBytes: null,
    })),
  };
  experiment.attempts.push(attempt);
  return attempt;
}

/** From the submission to the acknowledged run; what it comes to is shown at once, however it ends. */
async function runSeed(
  experiment: Experiment,
  attempt: Attempt,
  prepared: PreparedJob,
): Promise<FinishedJob> {
  const { seed } = prepared;
  try {
    const trained = await runJob(experiment, attempt, prepared);
    change(attempt, seed, { ...paid(trained), state: 'syncing', detail: 'trained; its run goes to W&B' });
    const run = await syncRun(experiment, attempt, seed);
    change(attempt, seed, { state: 'synced', detail: `${run.rows} rows at W&B`, runUrl: run.url });
    return { ...trained, run };
  } catch (error) {
    const failure = failureOf(attempt, seed, error);
    const [bill] = failure.details ?? [];
    change(attempt, seed, {
      ...(isBill(bill) ? paid(bill) : { outcome: attempt.overBudget === null ? 'failed' : 'budget' }),
      state: 'failed',
      detail: `${failure.type}: ${failure.message.split('\n', 1)[0] ?? ''}`,
      question: null,
    });
    throw error;
  }
}

async function runJob(experiment: Experiment, attempt: Attempt, prepared: PreparedJob): Promise<TrainedJob> {
  const { seed } = prepared;
  const child = await startJob(experiment, attempt, prepared);
  return beside(
    () =>
      Promise.all([passAnswersOn(experiment, attempt, seed, child), mirrorRun(experiment, attempt, seed)]),
    () => child.result().finally(() => attempt.running.delete(seed)),
  );
}

async function startJob(
  { input, note }: Experiment,
  attempt: Attempt,
  { seed, command }: PreparedJob,
): Promise<ChildWorkflowHandle<typeof JobWorkflow>> {
  const { id, policy } = input;
  const args: JobWorkflowInput = {
    experimentId: id,
    attempt: attempt.number,
    seed,
    job: noteOf({ note }).job,
    command,
    pollSeconds: policy.qizhiPollSeconds,
    unknownDeadlineMinutes: policy.unknownDeadlineMinutes,
  };
  return startChild<typeof JobWorkflow>('JobWorkflow', {
    workflowId: jobWorkflowId(id, attempt.number, seed),
    args: [args],
    workflowTaskTimeout: stepTimeout,
    // Should the experiment be terminated, its jobs must still be stopped: the child does that when it is cancelled.
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    staticSummary: `${noteOf({ note }).title}, attempt ${attempt.number}, seed ${seed}`,
  });
}

/** A person's answer about a submission goes to the workflow that waits for it. */
async function passAnswersOn(
  experiment: Experiment,
  attempt: Attempt,
  seed: number,
  child: ChildWorkflowHandle<typeof JobWorkflow>,
): Promise<void> {
  const { answers } = experiment;
  const key = `${attempt.number}/${seed}`;
  for (;;) {
    await condition(() => answers.has(key));
    const answer = answers.get(key);
    answers.delete(key);
    if (answer === undefined) continue;
    // The job may have settled it by its claim meanwhile, and be over.
    await tried('passing an answer on', () => child.signal(jobSettledSignal, answer));
  }
}

function change({ jobs }: Attempt, seed: number, changes: Partial<JobStatus>): void {
  const index = jobs.findIndex((job) => job.seed === seed);
  const job = jobs[index];
  if (job !== undefined) jobs[index] = { ...job, ...changes };
}

/** What of a job's bill is shown. */
function paid({ jobId, gpuHours, peakMemoryBytes, duplicates, outcome }: JobBill): Partial<JobStatus> {
  return { jobId, gpuHours, peakMemoryBytes, duplicates, outcome, question: null };
}

function isBill(detail: unknown): detail is JobBill {
  return typeof detail === 'object' && detail !== null && 'gpuHours' in detail && 'outcome' in detail;
}

/** Seeds that trained count even when others failed. A stop is no failure: it passes through. */
function collect(
  experiment: Experiment,
  attempt: Attempt,
  results: readonly PromiseSettledResult<FinishedJob>[],
): readonly FailedSeed[] {
  return results.flatMap((result, index) => {
    if (result.status === 'fulfilled') {
      experiment.finished.push(result.value);
      return [];
    }
    const seed = attempt.jobs[index]?.seed ?? 0;
    return [{ seed, failure: failureOf(attempt, seed, result.reason) }];
  });
}

/** Throws a cancellation on, unless it was the budget's. */
function failureOf({ overBudget }: Attempt, seed: number, reason: unknown): NamedFailure {
  if (!isCancellation(reason)) return namedFailure(reason);
  if (overBudget === null) throw reason;
  return namedFailure(failWith('BudgetExceeded', `seed ${seed}: stopped, because ${overBudget}`));
}
