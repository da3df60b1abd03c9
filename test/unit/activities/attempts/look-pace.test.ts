import { beforeEach, describe, expect, it } from 'vitest';

import { createLookPace, type LookPace } from '../../../../activities/attempts/look-pace.ts';

const minute = 60_000;
let now: number;
let random: number;
let pace: LookPace;

beforeEach(() => {
  now = 0;
  random = 0.5;
  pace = createLookPace(
    () => now,
    () => random,
  );
});

describe('createLookPace', () => {
  it.each([
    [0, 30_000],
    [20 * minute, 30_000],
    [60 * minute, 90_000],
    [200 * minute, 300_000],
    [30 * 24 * 60 * minute, 300_000],
  ])('after %d ms without a change waits %d ms', (unchangedMs, delayMs) => {
    expect(pace.delayMs('a', 30_000, unchangedMs)).toBe(delayMs);
  });

  it('keeps to a fast pace that was asked for, and to a slow one', () => {
    expect(pace.delayMs('a', 50, 60 * minute)).toBe(500);
    expect(pace.delayMs('b', 10 * minute, 0)).toBe(10 * minute);
  });

  it('spreads the looks by a tenth', () => {
    random = 0;
    expect(pace.delayMs('a', 1000, 0)).toBe(900);
    random = 1;
    expect(pace.delayMs('a', 1000, 0)).toBe(1100);
  });

  it('lets many who wait look no more than about 20 times a second together', () => {
    const due = Array.from({ length: 10_000 }, (_, index) => ({ who: `attempt ${index}`, at: 0 }));
    let looks = 0;
    for (; now < 20 * minute; now += 1000) {
      for (const waiter of due) {
        if (waiter.at > now) continue;
        if (now >= 10 * minute) looks += 1;
        waiter.at = now + pace.delayMs(waiter.who, 30_000, now);
      }
    }
    expect(looks / 600).toBeLessThan(22);
    expect(looks / 600).toBeGreaterThan(10);
  });

  it('forgets who waits no more', () => {
    for (let index = 0; index < 1000; index += 1) pace.delayMs(`attempt ${index}`, 1000, 0);
    expect(pace.delayMs('a', 1000, 0)).toBeGreaterThan(40_000);
    for (let index = 0; index < 1000; index += 1) pace.forget(`attempt ${index}`);
    expect(pace.delayMs('a', 1000, 0)).toBe(1000);
    for (let index = 0; index < 1000; index += 1) pace.delayMs(`attempt ${index}`, 1000, 0);
    now += 10 * minute;
    expect(pace.delayMs('a', 1000, 0)).toBe(1000);
  });
});
