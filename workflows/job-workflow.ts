import {
  CancellationScope,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  ParentClosePolicy,
  workflowInfo,
} from '@temporalio/workflow';

import { syncWorkflowId } from '../domain/ids.ts';
import type { JobOutcome } from '../domain/job.ts';
import type { JobKey } from '../activities/attempts/interface.ts';
import type { SyncedRun } from '../activities/wandb/interface.ts';
import { attempts, platform } from './activities.ts';
import { jobProgressSignal, type JobProgress } from './contract.ts';
import { failWith, namedFailure } from './failures.ts';
import type { FinishedJob, JobWorkflowInput } from './job.ts';
import { submitJob } from './submit-job.ts';
import type { SyncRunWorkflow } from './sync-run-workflow.ts';
import { watchJob, type EndedJob, type Witnesses } from './watch-job.ts';

/** One training job: submitted exactly once, watched by two witnesses, its run brought to W&B. */
export async function JobWorkflow(input: JobWorkflowInput): Promise<FinishedJob> {
  const progress: Progress = { jobId: null, gpuHours: 0 };
  try {
    progress.jobId = await submitJob(input, (detail) => tell(input, progress, 'unknown-submission', detail));
    const ended = await watch(input, progress, progress.jobId);
    if (ended.decision.outcome !== 'succeeded') throw failureOf(input, ended);
    await tell(input, progress, 'syncing', ended.decision.sentence);
    const run = await sync(input);
    return {
      seed: input.seed,
      jobId: progress.jobId,
      gpuHours: progress.gpuHours,
      wallHours: wallHours(ended),
      run,
    };
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => stop(input, progress));
    throw error;
  }
}

interface Progress {
  jobId: string | null;
  gpuHours: number;
}

async function watch(input: JobWorkflowInput, progress: Progress, jobId: string): Promise<EndedJob> {
  const changes: Promise<void>[] = [];
  let told: { readonly state: string; readonly trouble: string | null } = {
    state: 'submitting',
    trouble: null,
  };
  const ended = await watchJob({
    key: keyOf(input),
    jobId,
    pollSeconds: input.pollSeconds,
    onChange: (decision, witnesses) => {
      progress.gpuHours = gpuHours(witnesses);
      if (decision.status !== 'wait') return;
      const state = decision.phase === 'training' ? 'running' : 'queued';
      const trouble = witnesses.apiTrouble;
      // Every telling is events in two histories: only what people would want to know is told.
      if (told.state === state && told.trouble === trouble) return;
      told = { state, trouble };
      const detail = `${decision.sentence}${trouble === null ? '' : ` (${trouble})`}`;
      changes.push(tell(input, progress, state, detail));
    },
  });
  await Promise.all(changes);
  progress.gpuHours = gpuHours(ended.witnesses);
  return ended;
}

async function sync(input: JobWorkflowInput): Promise<SyncedRun> {
  const { experimentId, attempt, seed, runId, wandb } = input;
  return executeChild<typeof SyncRunWorkflow>('SyncRunWorkflow', {
    workflowId: syncWorkflowId(wandb.entity ?? 'default', wandb.project, runId),
    args: [{ experimentId, attempt, seed, runId, wandb }],
    // A sync that is cut short is worse than one that finishes a minute after nobody waits for it any more.
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: `brings run ${runId} to W&B`,
  });
}

/** A job nobody waits for any more must not hold GPUs; a submission that is unknown must not start late. */
async function stop(input: JobWorkflowInput, progress: Progress): Promise<void> {
  const jobId = progress.jobId ?? (await attempts.revokeAttempt(keyOf(input))).claimedBy;
  if (jobId === null) return;
  progress.jobId = jobId;
  await platform.stopJob.executeWithOptions({ summary: `stopping ${jobId}` }, [{ jobId }]);
  await tell(input, progress, 'stopped', 'stopped because nobody waits for it any more');
}

async function tell(
  input: JobWorkflowInput,
  { jobId, gpuHours: hours }: Progress,
  state: JobProgress['state'],
  detail: string,
): Promise<void> {
  const parent = workflowInfo().parent;
  if (parent === undefined) return;
  try {
    // Told from within a watch that ends by cancelling its own scope: the news must not be mistaken for a stop.
    await CancellationScope.nonCancellable(() =>
      getExternalWorkflowHandle(parent.workflowId, parent.runId).signal(jobProgressSignal, {
        seed: input.seed,
        state,
        detail,
        jobId,
        gpuHours: hours,
      }),
    );
  } catch (error) {
    // The experiment may have been terminated: its job must still be stopped and recorded.
    log.warn('the experiment could not be told', { state, type: namedFailure(error).type });
  }
}

function failureOf(input: JobWorkflowInput, { decision, witnesses }: EndedJob): Error {
  const tail = witnesses.records?.logTail.trim() ?? '';
  const place = `experiments/${input.experimentId}/attempts/${input.attempt}/${input.seed}/output.log`;
  const output = tail === '' ? 'It wrote no output.' : `The end of its output:\n${tail.slice(-1500)}`;
  return failWith(
    failureTypeOf(decision.outcome),
    `seed ${input.seed}: ${decision.sentence}; see ${place} on the shared disk.\n${output}`,
  );
}

function failureTypeOf(outcome: JobOutcome): 'JobFailed' | 'JobStopped' | 'JobQueueOut' {
  switch (outcome) {
    case 'stopped':
      return 'JobStopped';
    case 'queue-out':
      return 'JobQueueOut';
    case 'failed':
    case 'succeeded':
      return 'JobFailed';
  }
}

const msPerHour = 3_600_000;

function gpuHours(witnesses: Witnesses): number {
  const ms = Math.max(witnesses.observation?.runningMs ?? 0, ownRunMs(witnesses) ?? 0);
  return (ms * (witnesses.observation?.gpuCount ?? 0)) / msPerHour;
}

function wallHours({ witnesses }: EndedJob): number {
  return (ownRunMs(witnesses) ?? witnesses.observation?.runningMs ?? 0) / msPerHour;
}

/** By the job's own clock; null while it has not ended. */
function ownRunMs({ records }: Witnesses): number | null {
  const exit = records?.exit ?? null;
  return exit === null ? null : exit.endedAt - exit.startedAt;
}

function keyOf({ experimentId, attempt, seed }: JobWorkflowInput): JobKey {
  return { experimentId, attempt, seed };
}
