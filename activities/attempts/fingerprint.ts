import { createHash } from 'node:crypto';

import type { NothingRecorded } from './interface.ts';
import type { Look } from './read-records.ts';

const nothing: NothingRecorded = 'nothing';

/**
 * What is news in the records. A heartbeat and a growing log are life, not news; but silence names the heartbeat that
 * stands still, so that whoever has seen it knows it again, and sees at once when the heart goes on beating.
 */
export function fingerprintOf({ claim, exit, duplicates, heartbeatAt }: Look, silent: boolean): string {
  if (claim === null && exit === null && duplicates.length === 0) return nothing;
  return createHash('sha256')
    .update(JSON.stringify([claim, exit, duplicates, silent ? { silentSince: heartbeatAt } : null]))
    .digest('hex')
    .slice(0, 16);
}
