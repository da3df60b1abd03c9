import type { JobObservation, JobRecords } from '../../../domain/job.ts';

export const dayMs = 24 * 3_600_000;

/** One part of a job's life. */
export interface Stretch {
  readonly days: number;
  readonly state: 'queued' | 'running';
}

export interface VirtualJob {
  readonly jobId: string;
  readonly stretches: readonly Stretch[];
  readonly gpus: number;
}

/** What both witnesses would truthfully say. */
export interface VirtualSight {
  readonly observation: JobObservation;
  readonly records: JobRecords;
}

/**
 * A job that goes through its stretches and then succeeds. A queue that follows a run is a preemption: the platform told
 * the job to end and starts it again under its own id. `createdAt` and `now`: ms since the epoch.
 */
export function seeVirtualJob(job: VirtualJob, createdAt: number, now: number): VirtualSight {
  let left = now - createdAt;
  let begun = createdAt;
  let runningMs = 0;
  let round = 0;
  let told: { readonly startedAt: number; readonly endedAt: number } | null = null;
  for (const { days, state } of job.stretches) {
    const lengthMs = days * dayMs;
    const spentMs = Math.min(left, lengthMs);
    if (state === 'running') {
      round += 1;
      runningMs += spentMs;
    }
    if (left < lengthMs) {
      const claimed = state === 'running' || told !== null;
      const exit = state === 'queued' && told !== null ? exitOf(told, 143) : null;
      return {
        observation: observationOf(job, {
          state,
          runningMs,
          round,
          now,
          queuedMs: state === 'queued' ? left : 0,
        }),
        records: recordsOf(job, claimed, exit),
      };
    }
    left -= lengthMs;
    if (state === 'running') told = { startedAt: begun, endedAt: begun + lengthMs };
    begun += lengthMs;
  }
  const last = told ?? { startedAt: begun, endedAt: begun };
  return {
    observation: observationOf(job, { state: 'succeeded', runningMs, round, now, queuedMs: 0 }),
    records: recordsOf(job, true, exitOf(last, 0)),
  };
}

type Seen = Pick<JobObservation, 'runningMs' | 'round' | 'queuedMs'> & {
  readonly state: 'queued' | 'running' | 'succeeded';
  readonly now: number;
};

const rawStatuses = { queued: 'job_queuing', running: 'job_running', succeeded: 'job_succeeded' } as const;

function observationOf({ jobId, gpus }: VirtualJob, { now, ...seen }: Seen): JobObservation {
  return {
    jobId,
    ...seen,
    rawStatus: rawStatuses[seen.state],
    reason: '',
    gpuCount: seen.state === 'queued' ? 0 : gpus,
    round: Math.max(1, seen.round),
    reserving: false,
    evicted: false,
    observedAt: now,
  };
}

function recordsOf({ jobId }: VirtualJob, claimed: boolean, exit: JobRecords['exit']): JobRecords {
  return {
    claim: claimed ? { jobId, host: `${jobId}-worker-0`, at: 0 } : null,
    heartbeatAt: null,
    silent: false,
    exit,
    duplicates: [],
    logTail: '',
  };
}

function exitOf(
  times: { readonly startedAt: number; readonly endedAt: number },
  code: 0 | 143,
): JobRecords['exit'] {
  const told = code === 143;
  return {
    code,
    signal: told ? 'TERM' : null,
    ...times,
    reason: told ? 'the job was told to stop, and the command ended with code 143' : null,
    peakMemoryBytes: null,
    gpuSeconds: null,
  };
}
