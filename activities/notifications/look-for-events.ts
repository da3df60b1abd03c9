import type { Client } from '@temporalio/client';

import { Failure } from '../../infra/failure.ts';
import type { NotificationSettings } from '../../infra/settings.ts';
import { dueTime } from '../../infra/notifications/due-time.ts';
import { createLabReader, type LabReader } from '../../infra/temporal/lab-reader.ts';
import { findEvents } from './find-events.ts';
import type { AwaitEventsInput, FoundEvents } from './interface.ts';

/** Endings that are looked at; more in one fortnight are not news. */
const mostEnded = 500;
/** What ended longer ago is nobody's news any more, ms. */
const newsMs = 14 * 24 * 3_600_000;

/** One look at all experiments. What they answered is kept between looks, so that those that stand still are not asked. */
export function createEventLook(
  settings: NotificationSettings,
): (client: Client, input: AwaitEventsInput) => Promise<FoundEvents> {
  let reader: LabReader | null = null;
  return async (client, input) => {
    reader ??= createLabReader({
      client,
      ended: mostEnded,
      endedAfter: () => later(input.since, new Date(Date.now() - newsMs).toISOString()),
    });
    const { experiments } = await reader.read();
    const at = Date.now();
    const all = experiments.flatMap((seen) => findEvents(seen, settings.pageUrl));
    const known = new Set(input.known);
    const events = all
      .filter(({ key }) => !known.has(key))
      .map((event) => ({ ...event, dueAt: dueTime(at, event.kind === 'ended', settings.times) }));
    const seen = new Set(all.map(({ key }) => key));
    // Of an experiment that did not answer nothing is known: what it asked may still stand.
    const answered = new Set(experiments.flatMap(({ id, status }) => (status === null ? [] : [id])));
    const gone = input.pending.filter((key) => !seen.has(key) && answered.has(key.split('/', 1)[0] ?? ''));
    if (events.length === 0 && gone.length === 0 && at < input.until) {
      const retryAfterMs = Math.min(settings.lookSeconds * 1000, input.until - at);
      throw new Failure('NothingToTell', 'nothing new', { retryAfterMs });
    }
    return { at, events, seen: [...seen], gone, channels: settings.channels.map(({ kind }) => kind) };
  };
}

function later(a: string, b: string): string {
  return a > b ? a : b;
}
