import { z } from 'zod';

import type { Look } from './read-records.ts';

/** A living job beats several times a minute; a file system that was away takes a few minutes to show it again. */
const silentAfterMs = 15 * 60_000;
/** Of the time between two looks no more than this counts: while nobody looked, the disk may have been away for the job too. */
const mostBetweenLooksMs = 6 * 60_000;

/** How long a heartbeat was seen to stand still, for the next look. */
export const Stillness = z.object({
  /** The claim's holder and its heartbeat: whatever this is, only a change of it counts. */
  beat: z.string(),
  stillMs: z.number().nonnegative(),
  /** By the reader's clock. */
  lookedAt: z.number(),
});
export type Stillness = z.infer<typeof Stillness>;

/**
 * How long the heartbeat has stood still, by the reader's clock alone: the job's may be an hour off. A first look, or one
 * that finds another heartbeat, begins at 0, and a jump of the reader's own clock counts for minutes at most.
 */
export function measureStillness(before: unknown, look: Look, now: number): Stillness {
  const beat = beatOf(look);
  const known = Stillness.safeParse(before).data;
  if (known === undefined || known.beat !== beat) return { beat, stillMs: 0, lookedAt: now };
  const passed = Math.min(Math.max(now - known.lookedAt, 0), mostBetweenLooksMs);
  return { beat, stillMs: known.stillMs + passed, lookedAt: now };
}

/** Only a job that has begun and not ended can be silent. */
export function isSilent(look: Look, { stillMs }: Stillness): boolean {
  return canBeSilent(look) && stillMs >= silentAfterMs;
}

export function canBeSilent({ claim, exit }: Look): boolean {
  return claim !== null && exit === null;
}

function beatOf({ claim, heartbeatAt }: Look): string {
  return `${claim?.jobId ?? ''} ${heartbeatAt ?? ''}`;
}
