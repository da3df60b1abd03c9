import type { JobKey, NothingRecorded } from '../activities/attempts/interface.ts';

/** The fingerprint with which a wait for a job's records begins. */
export const nothingRecorded: NothingRecorded = 'nothing';

/** Only the key of what carries more: what goes into an activity's input stays in the history. */
export function keyOf({ experimentId, attempt, seed }: JobKey): JobKey {
  return { experimentId, attempt, seed };
}
