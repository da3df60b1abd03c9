import { isCancellation, ParentClosePolicy, startChild, workflowInfo, condition } from '@temporalio/workflow';

import type { Phase } from '../domain/phase.ts';
import { jobWorkflowId, wandbRunId } from '../domain/ids.ts';
import type { PreparedJob } from '../activities/attempts/interface.ts';
import { attempts } from './activities.ts';
import { enterPhase, gpuHoursOf, type Attempt, type Experiment } from './experiment-state.ts';
import { failWith, namedFailure } from './failures.ts';
import type { FinishedJob, JobWorkflowInput } from './job.ts';
import type { JobWorkflow } from './job-workflow.ts';
import { implementationOf, noteOf } from './plan-and-code.ts';
import { beside } from './scopes.ts';

/** One submission of the command at the present head: one job for each seed, until all have ended and are synced. */
export async function runAttempt(experiment: Experiment, seeds: readonly number[]): Promise<void> {
  const note = noteOf(experiment);
  checkBudget(experiment);
  enterPhase(experiment, 'submitting', seeds.length === 1 ? 'the job' : `${seeds.length} jobs`);
  const attempt = openAttempt(experiment, seeds);
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
  const results = await beside(
    () => followPhases(experiment, attempt),
    () => Promise.allSettled(prepared.map((job) => runJob(experiment, attempt, job))),
  );
  collect(experiment, attempt, results);
}

function checkBudget(experiment: Experiment): void {
  const { budget } = noteOf(experiment);
  const used = gpuHoursOf(experiment);
  if (used >= budget.gpu_hours) {
    throw failWith(
      'BudgetExceeded',
      `${used} GPU hours are used, the task note allows ${budget.gpu_hours} (budget.gpu_hours)`,
    );
  }
}

function openAttempt(experiment: Experiment, seeds: readonly number[]): Attempt {
  const number = experiment.nextAttempt;
  experiment.nextAttempt += 1;
  const token = workflowInfo().firstExecutionRunId.slice(0, 6);
  const attempt: Attempt = {
    number,
    headSha: implementationOf(experiment).headSha,
    jobs: seeds.map((seed) => ({
      seed,
      state: 'submitting',
      detail: '',
      jobId: null,
      runId: wandbRunId(experiment.input.id, number, seed, token),
      runUrl: null,
      outcome: null,
      gpuHours: 0,
    })),
  };
  experiment.attempts.push(attempt);
  return attempt;
}

async function runJob(
  experiment: Experiment,
  attempt: Attempt,
  { seed, command }: PreparedJob,
): Promise<FinishedJob> {
  const note = noteOf(experiment);
  const { id, policy } = experiment.input;
  const input: JobWorkflowInput = {
    experimentId: id,
    attempt: attempt.number,
    seed,
    runId: attempt.jobs.find((job) => job.seed === seed)?.runId ?? '',
    job: note.job,
    wandb: note.wandb,
    command,
    pollSeconds: policy.qizhiPollSeconds,
    unknownDeadlineMinutes: policy.unknownDeadlineMinutes,
  };
  const child = await startChild<typeof JobWorkflow>('JobWorkflow', {
    workflowId: jobWorkflowId(id, attempt.number, seed),
    args: [input],
    // Should the experiment be terminated, its jobs must still be stopped: the child does that when it is cancelled.
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    staticSummary: `${note.title}, attempt ${attempt.number}, seed ${seed}`,
  });
  const finished = await child.result();
  markSynced(attempt, finished);
  return finished;
}

function markSynced({ jobs }: Attempt, { seed, jobId, gpuHours, run }: FinishedJob): void {
  const index = jobs.findIndex((job) => job.seed === seed);
  const job = jobs[index];
  if (job === undefined) return;
  const detail = `${run.rows} rows at W&B`;
  jobs[index] = { ...job, state: 'synced', detail, jobId, gpuHours, runUrl: run.url, outcome: 'succeeded' };
}

/** Shows how far the slowest job is: queued, training, syncing. */
async function followPhases(experiment: Experiment, attempt: Attempt): Promise<void> {
  const order: readonly Phase[] = ['submitting', 'queued', 'training', 'syncing'];
  let at = 0;
  for (;;) {
    await condition(() => order.indexOf(phaseOf(attempt)) > at);
    const phase = phaseOf(attempt);
    at = order.indexOf(phase);
    enterPhase(experiment, phase, waitingFor(phase));
    if (phase === 'syncing') return;
  }
}

function phaseOf({ jobs }: Attempt): Phase {
  const open = jobs.filter((job) => job.state !== 'synced');
  if (open.every((job) => job.state === 'syncing')) return 'syncing';
  if (jobs.some((job) => job.state === 'submitting' || job.state === 'unknown-submission'))
    return 'submitting';
  if (open.some((job) => job.state === 'running')) return 'training';
  return 'queued';
}

function waitingFor(phase: Phase): string {
  if (phase === 'syncing') return 'W&B to acknowledge the runs';
  return phase === 'training' ? 'the training to end' : 'the platform to start the jobs';
}

/** Takes in how every job ended. Seeds that trained well count even when others failed; if none did, the attempt failed. */
function collect(
  experiment: Experiment,
  attempt: Attempt,
  results: readonly PromiseSettledResult<FinishedJob>[],
): void {
  const failures: unknown[] = [];
  for (const [index, result] of results.entries()) {
    const job = attempt.jobs[index];
    if (job === undefined) continue;
    if (result.status === 'fulfilled') {
      experiment.finished.push(result.value);
      continue;
    }
    if (isCancellation(result.reason)) throw result.reason;
    failures.push(result.reason);
    const { type, message } = namedFailure(result.reason);
    attempt.jobs[index] = {
      ...job,
      state: 'failed',
      detail: `${type}: ${message.split('\n', 1)[0] ?? ''}`,
      outcome: 'failed',
    };
  }
  if (failures.length === results.length && failures.length > 0) throw failures[0];
}
