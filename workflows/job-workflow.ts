import {
  CancellationScope,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';

import type { JobOutcome } from '../domain/job.ts';
import type { JobLimits } from '../domain/decide-job.ts';
import type { FailureType } from '../domain/failure.ts';
import {
  jobProgressSignal,
  jobSettledSignal,
  searchAttributes,
  type JobProgress,
  type JobSettled,
} from './contract.ts';
import { failWith, namedFailure } from './failures.ts';
import { billOf, gpuHoursOf, msPerHour } from './job-bill.ts';
import { keyOf } from './job-key.ts';
import type { JobWorkflowInput, TrainedJob } from './job.ts';
import { stopJob } from './stop-job.ts';
import { submitJob } from './submit-job.ts';
import { watchJob, type EndedJob } from './watch-job.ts';

/** One training job: submitted exactly once, watched by two witnesses until it has ended, stopped when nobody wants it. */
export async function JobWorkflow(input: JobWorkflowInput): Promise<TrainedJob> {
  const progress: Progress = { jobId: null, gpuHours: 0, gpus: 0, answer: null };
  setHandler(jobSettledSignal, (answer) => {
    progress.answer = answer;
  });
  try {
    const jobId = await submitJob(input, {
      tellWaiting: (detail) => tell(input, progress, 'submitting', detail),
      tellUnknown: (detail, question) => tell(input, progress, 'unknown-submission', detail, question),
      answer: () => progress.answer,
    });
    knowJob(progress, jobId);
    const ended = await watch(input, progress, jobId);
    const bill = billOf(ended);
    if (bill.outcome !== 'succeeded') {
      throw failWith(failureTypeOf(bill.outcome), describeEnd(input, ended), [bill]);
    }
    return { ...bill, seed: input.seed, jobId: ended.witnesses.jobId };
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => stop(input, progress));
    throw error;
  }
}

interface Progress {
  jobId: string | null;
  gpuHours: number;
  gpus: number;
  answer: JobSettled | null;
}

/** By its search attribute a job is known also when this workflow is terminated while the job still queues. */
function knowJob(progress: Progress, jobId: string): void {
  progress.jobId = jobId;
  upsertSearchAttributes([{ key: searchAttributes.jobIds, value: [jobId] }]);
}

async function watch(input: JobWorkflowInput, progress: Progress, jobId: string): Promise<EndedJob> {
  const changes = [tell(input, progress, 'queued', 'the platform took it')];
  let told = 'queued';
  const ended = await watchJob({
    key: keyOf(input),
    jobId,
    pollSeconds: input.pollSeconds,
    limits: limitsOf(input),
    onChange: (decision, witnesses) => {
      if (witnesses.jobId !== progress.jobId) knowJob(progress, witnesses.jobId);
      progress.gpuHours = gpuHoursOf(witnesses);
      if (decision.status !== 'wait') return;
      const trouble = witnesses.apiTrouble === null ? '' : ` (${witnesses.apiTrouble})`;
      progress.gpus = decision.phase === 'training' ? (witnesses.observation?.gpuCount ?? 0) : 0;
      const state = decision.phase === 'training' ? 'running' : 'queued';
      const standsStill = (witnesses.observation?.queuedMs ?? 0) >= standsStillMs;
      // Every telling is events in two histories: only what people would want to know is told.
      const round = Math.max(1, witnesses.observation?.round ?? 1);
      const news = `${state} ${progress.gpus > 0} ${standsStill} ${witnesses.records.silent} ${round} ${witnesses.jobId}${trouble}`;
      if (told === news || (told === 'queued' && news === `queued false false false 1 ${jobId}`)) return;
      told = news;
      changes.push(tell(input, progress, state, `${decision.sentence}${trouble}`));
    },
  });
  await Promise.all(changes);
  return ended;
}

/** From here on a queue is told about, with the platform's own words. */
const standsStillMs = 6 * 3_600_000;

function limitsOf({ job }: JobWorkflowInput): JobLimits {
  return { maxRunningMs: job.max_hours * msPerHour, mayRestart: job.max_restarts > 0 };
}

/** A job nobody waits for any more must not hold GPUs; a submission that is unknown must not start late. */
async function stop(input: JobWorkflowInput, progress: Progress): Promise<void> {
  const stopped = await stopJob(input, progress.jobId);
  if (stopped === null) return;
  progress.jobId = stopped.jobId;
  progress.gpuHours = Math.max(progress.gpuHours, stopped.gpuHours);
  progress.gpus = 0;
  await tell(input, progress, 'stopped', stopped.sentence);
}

async function tell(
  input: JobWorkflowInput,
  { jobId, gpuHours, gpus }: Progress,
  state: JobProgress['state'],
  detail: string,
  question: string | null = null,
): Promise<void> {
  const parent = workflowInfo().parent;
  if (parent === undefined) return;
  const { attempt, seed } = input;
  try {
    // Told from within a watch that ends by cancelling its own scope: the news must not be mistaken for a stop.
    await CancellationScope.nonCancellable(() =>
      getExternalWorkflowHandle(parent.workflowId, parent.runId).signal(jobProgressSignal, {
        attempt,
        seed,
        state,
        detail,
        jobId,
        question,
        gpuHours,
        gpus,
      }),
    );
  } catch (error) {
    // The experiment may have been terminated: its job must still be stopped and recorded.
    log.warn('the experiment could not be told', { state, type: namedFailure(error).type });
  }
}

function describeEnd(input: JobWorkflowInput, { decision, witnesses }: EndedJob): string {
  const tail = witnesses.records.logTail.trim();
  const place = `experiments/${input.experimentId}/attempts/${input.attempt}/${input.seed}/output.log`;
  const output = tail === '' ? 'It wrote no output.' : `The end of its output:\n${tail.slice(-1500)}`;
  return `seed ${input.seed}: ${decision.sentence}; see ${place} on the shared disk.\n${output}`;
}

function failureTypeOf(outcome: Exclude<JobOutcome, 'succeeded'>): FailureType {
  switch (outcome) {
    case 'failed':
      return 'JobFailed';
    case 'refused':
      return 'JobRefused';
    case 'stopped':
      return 'JobStopped';
    case 'preempted':
      return 'JobPreempted';
    case 'time-limit':
      return 'JobTimedOut';
    case 'queue-out':
      return 'JobQueueOut';
    case 'not-started':
      return 'JobNotStarted';
    case 'lost':
      return 'JobLost';
    case 'displaced':
      return 'JobDisplaced';
    case 'budget':
      return 'BudgetExceeded';
  }
}
