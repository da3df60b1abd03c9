import { createHash } from 'node:crypto';

import type { JobObservation } from '../../domain/job.ts';

/** A queue that has not moved for so long is told once. */
export const standstillMs = 6 * 3_600_000;

/**
 * Words of a reason, running time and the moment of asking change all the while and mean nothing new; neither do the stages
 * that a job goes through before it runs, of which the platform has five.
 */
export function fingerprintOf(
  { state, rawStatus, round, evicted, reserving }: JobObservation,
  standsStill: boolean,
): string {
  const status = state === 'pending' || state === 'queued' ? 'waiting' : `${state} ${rawStatus}`;
  return createHash('sha256')
    .update(JSON.stringify([status, round, evicted, reserving, standsStill]))
    .digest('hex')
    .slice(0, 16);
}
