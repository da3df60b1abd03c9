import { DateTime } from 'luxon';

import type { NotificationTimes } from '../settings.ts';

/**
 * When an event that comes up now is to be told, ms since the epoch: endings wait for the digest, and nothing is told in
 * quiet hours. Days on which a clock is put forward or back have their own length.
 */
export function dueTime(now: number, isEnding: boolean, times: NotificationTimes): number {
  const { quiet, digest, timeZone } = times;
  const wanted = isEnding && digest !== null ? nextAt(now, digest, timeZone) : now;
  if (quiet === null || !isQuiet(minuteOf(wanted, timeZone), quiet)) return wanted;
  return nextAt(wanted, quiet.until, timeZone);
}

function isQuiet(
  minute: number,
  { from, until }: { readonly from: number; readonly until: number },
): boolean {
  return from < until ? minute >= from && minute < until : minute >= from || minute < until;
}

function minuteOf(time: number, zone: string): number {
  const { hour, minute } = DateTime.fromMillis(time, { zone });
  return hour * 60 + minute;
}

/** The next moment at which clocks show that minute of a day. */
function nextAt(time: number, minute: number, zone: string): number {
  const today = DateTime.fromMillis(time, { zone }).set({
    hour: Math.floor(minute / 60),
    minute: minute % 60,
    second: 0,
    millisecond: 0,
  });
  const next = today.toMillis() > time ? today : today.plus({ days: 1 });
  return next.toMillis();
}
