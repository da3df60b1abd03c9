import { expect, it } from 'vitest';

import { dueTime } from '../../../../infra/notifications/due-time.ts';

const night = { from: 22 * 60, until: 8 * 60 };
const shanghai = { timeZone: 'Asia/Shanghai', quiet: night, digest: null };
const berlin = { timeZone: 'Europe/Berlin', quiet: night, digest: null };

it.each([
  ['by day at once', '2026-05-01T10:00:00+08:00', false, shanghai, '2026-05-01T10:00:00+08:00'],
  [
    'before midnight the next morning',
    '2026-05-01T23:10:00+08:00',
    false,
    shanghai,
    '2026-05-02T08:00:00+08:00',
  ],
  [
    'after midnight the same morning',
    '2026-05-02T03:10:00+08:00',
    false,
    shanghai,
    '2026-05-02T08:00:00+08:00',
  ],
  ['at the first minute not', '2026-05-01T22:00:00+08:00', false, shanghai, '2026-05-02T08:00:00+08:00'],
  ['at the last moment yes', '2026-05-02T08:00:00+08:00', false, shanghai, '2026-05-02T08:00:00+08:00'],
  [
    'in the night in which the clock is put forward',
    '2026-03-28T23:00:00+01:00',
    false,
    berlin,
    '2026-03-29T08:00:00+02:00',
  ],
  [
    'in the night in which it is put back',
    '2026-10-25T00:30:00+02:00',
    false,
    berlin,
    '2026-10-25T08:00:00+01:00',
  ],
  [
    'endings in the evening',
    '2026-05-01T10:00:00Z',
    true,
    { timeZone: 'UTC', quiet: null, digest: 1080 },
    '2026-05-01T18:00:00Z',
  ],
  [
    'endings after it the next',
    '2026-05-01T18:00:00Z',
    true,
    { timeZone: 'UTC', quiet: null, digest: 1080 },
    '2026-05-02T18:00:00Z',
  ],
  [
    'what waits not with them',
    '2026-05-01T10:00:00Z',
    false,
    { timeZone: 'UTC', quiet: null, digest: 1080 },
    '2026-05-01T10:00:00Z',
  ],
  [
    'a digest in the night after it',
    '2026-05-01T10:00:00Z',
    true,
    { timeZone: 'UTC', quiet: night, digest: 1380 },
    '2026-05-02T08:00:00Z',
  ],
])('tells %s', (_what, now, isEnding, times, expected) => {
  expect(new Date(dueTime(Date.parse(now), isEnding, times)).toISOString()).toBe(
    new Date(expected).toISOString(),
  );
});
