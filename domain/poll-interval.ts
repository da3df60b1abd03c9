import type { JobState } from './job.ts';

export interface PollIntervalInput {
  readonly state: JobState;
  /** Since the job was last seen to change, ms. */
  readonly sinceChangeMs: number;
  /** The ordinary time between two questions, ms. */
  readonly baseMs: number;
  /** Until the job's time limit, ms, negative when it has passed; null when it is not known or does not run yet. */
  readonly leftMs: number | null;
  /** From 0 to 1, for the jitter. */
  readonly random: number;
}

/** After a change, another is likely for this many bases. */
const nearBases = 3;
/** For so long after a change the base is kept, and at least for ten minutes. */
const steadyBases = 20;
const steadyAtLeastMs = 600_000;
const longestQueueMs = 600_000;
const longestRunMs = 300_000;
/** A platform that has not ended a job by then may not do so at all. */
const overdueMs = 600_000;
const jitter = 0.1;

/**
 * How long to wait before a job is asked about again, ms: fast near a change, then the base, then in proportion to how long
 * nothing has happened, so that a queue of days is not asked every half minute. Plus or minus a tenth, so that many jobs do
 * not ask in step.
 */
export function pollInterval({ state, sinceChangeMs, baseMs, leftMs, random }: PollIntervalInput): number {
  const fastMs = baseMs / 3;
  const calmMs = sinceChangeMs < nearBases * baseMs ? fastMs : grown(state, sinceChangeMs, baseMs);
  const waitMs = leftMs === null || leftMs < -overdueMs ? calmMs : Math.min(calmMs, Math.max(fastMs, leftMs));
  return Math.round(waitMs * (1 - jitter + 2 * jitter * random));
}

function grown(state: JobState, sinceChangeMs: number, baseMs: number): number {
  const steadyMs = Math.max(steadyAtLeastMs, steadyBases * baseMs);
  const longestMs = state === 'queued' ? longestQueueMs : longestRunMs;
  return Math.max(baseMs, Math.min(longestMs, baseMs * (sinceChangeMs / steadyMs)));
}
