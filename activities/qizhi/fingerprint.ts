import { createHash } from 'node:crypto';

import type { JobObservation } from '../../domain/job.ts';

/** A queue that has not moved for so long is told once. */
export const standstillMs = 6 * 3_600_000;

/** Words of a reason, running time and the moment of asking change all the while and mean nothing new. */
export function fingerprintOf(
  { state, rawStatus, round, evicted, reserving }: JobObservation,
  standsStill: boolean,
): string {
  return createHash('sha256')
    .update(JSON.stringify([state, rawStatus, round, evicted, reserving, standsStill]))
    .digest('hex')
    .slice(0, 16);
}
