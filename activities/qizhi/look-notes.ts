import { activityInfo, heartbeat } from '@temporalio/activity';
import { z } from 'zod';

const count = z.int().min(0).catch(0);

const Notes = z.object({
  /** How many looks in a row found the platform not to know the job. */
  missing: count,
  /** How many looks could read the status of an end, but not the events. */
  mute: count,
  /** When the events were read last, ms since the epoch, and what the newest said. */
  eventsAt: count,
  words: z.string().catch(''),
});
type Notes = z.infer<typeof Notes>;

const none: Notes = { missing: 0, mute: 0, eventsAt: 0, words: '' };

/** What one look at a job leaves to the next. */
export interface LookNotes {
  readonly now: Notes;
  change(changes: Partial<Notes>): void;
}

/** Kept in the heartbeat's details, which outlive the failure that each look of a wait ends in. */
export function openLookNotes(): LookNotes {
  let now = Notes.catch(none).parse(activityInfo().heartbeatDetails);
  return {
    get now() {
      return now;
    },
    change(changes) {
      now = { ...now, ...changes };
      heartbeat(now);
    },
  };
}
