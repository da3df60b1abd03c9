import type { DuplicateJob } from '../domain/job.ts';
import type { JobBill } from './job.ts';
import type { EndedJob, Witnesses } from './watch-job.ts';

const msPerHour = 3_600_000;

/** What a job that has ended cost and left. */
export function billOf({ decision, witnesses }: EndedJob): JobBill {
  const { records } = witnesses;
  return {
    jobId: witnesses.jobId,
    outcome: decision.outcome,
    gpuHours: gpuHoursOf(witnesses),
    wallHours: (ownRunMs(witnesses) ?? witnesses.observation?.runningMs ?? 0) / msPerHour,
    peakMemoryBytes: records.exit?.peakMemoryBytes ?? null,
    duplicates: records.duplicates.map(({ jobId }) => jobId),
  };
}

/**
 * GPU hours so far: the longer of what the platform and what the job itself counted, times the GPUs that were granted
 * (which may be more than were asked for), and the moments of the jobs that were turned away.
 */
export function gpuHoursOf(witnesses: Witnesses): number {
  const { observation, records } = witnesses;
  const gpus = observation?.gpuCount ?? 0;
  const ms = Math.max(observation?.runningMs ?? 0, ownRunMs(witnesses) ?? 0);
  const ownSeconds = records.exit?.gpuSeconds ?? 0;
  const own = Math.max((ms * gpus) / msPerHour, (ownSeconds * 1000) / msPerHour);
  return own + (records.duplicates.reduce((sum, each) => sum + durationMs(each), 0) * gpus) / msPerHour;
}

/** By the job's own clock; null while it has not ended. */
function ownRunMs({ records }: Witnesses): number | null {
  return records.exit === null ? null : durationMs(records.exit);
}

/** A clock that was set back in between must not earn GPU hours. */
function durationMs({ startedAt, endedAt }: Pick<DuplicateJob, 'startedAt' | 'endedAt'>): number {
  return Math.max(0, endedAt - startedAt);
}
