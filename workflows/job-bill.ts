import type { DuplicateJob, JobExit } from '../domain/job.ts';
import type { JobBill } from './job.ts';
import type { EndedJob, Witnesses } from './watch-job.ts';

export const msPerHour = 3_600_000;

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
 * GPU hours so far: the longer of what the platform and what the job itself counted over all of its rounds, times the
 * GPUs that were granted (which may be more than were asked for), and the moments of the jobs that were turned away.
 */
export function gpuHoursOf(witnesses: Witnesses): number {
  const { observation, records } = witnesses;
  const gpus = observation?.gpuCount ?? 0;
  const ms = Math.max(observation?.runningMs ?? 0, ownRunMs(witnesses) ?? 0);
  const ownSeconds = sum(exitsOf(witnesses).map(({ gpuSeconds }) => gpuSeconds ?? 0));
  const own = Math.max((ms * gpus) / msPerHour, (ownSeconds * 1000) / msPerHour);
  return own + (sum(records.duplicates.map(durationMs)) * gpus) / msPerHour;
}

/** By the job's own clock; null while no round of it has ended. */
function ownRunMs(witnesses: Witnesses): number | null {
  const exits = exitsOf(witnesses);
  return exits.length === 0 ? null : sum(exits.map(durationMs));
}

function exitsOf({ earlierExits, records }: Witnesses): readonly JobExit[] {
  return records.exit === null ? earlierExits : [...earlierExits, records.exit];
}

/** A clock that was set back in between must not earn GPU hours. */
function durationMs({ startedAt, endedAt }: Pick<DuplicateJob, 'startedAt' | 'endedAt'>): number {
  return Math.max(0, endedAt - startedAt);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
