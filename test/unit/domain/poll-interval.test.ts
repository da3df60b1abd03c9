import { describe, expect, it } from 'vitest';

import { pollInterval, type PollIntervalInput } from '../../../domain/poll-interval.ts';

const minute = 60_000;
const hour = 60 * minute;

function interval(changes: Partial<PollIntervalInput> = {}): number {
  return pollInterval({
    state: 'queued',
    sinceChangeMs: 0,
    baseMs: 30_000,
    leftMs: null,
    random: 0.5,
    ...changes,
  });
}

describe('pollInterval', () => {
  it.each<[what: string, changes: Partial<PollIntervalInput>, ms: number]>([
    ['just after a change', {}, 10_000],
    ['a while after it', { sinceChangeMs: 2 * minute }, 30_000],
    ['for the first ten minutes', { sinceChangeMs: 10 * minute }, 30_000],
    ['after an hour in a queue', { sinceChangeMs: hour }, 3 * minute],
    ['after a day in a queue', { sinceChangeMs: 24 * hour }, 10 * minute],
    ['after an hour of running', { state: 'running', sinceChangeMs: hour }, 3 * minute],
    ['after a day of running', { state: 'running', sinceChangeMs: 24 * hour }, 5 * minute],
    ['of a status that nobody knows', { state: 'unknown', sinceChangeMs: 24 * hour }, 5 * minute],
    ['at a base of fifteen seconds', { baseMs: 15_000 }, 5000],
    ['at the small base of a test', { baseMs: 300 }, 100],
    ['at a small base, later', { baseMs: 300, sinceChangeMs: 5 * minute }, 300],
    ['at a base above the longest', { baseMs: hour, sinceChangeMs: 99 * hour }, hour],
    ['shortly before the time limit', { state: 'running', sinceChangeMs: 24 * hour, leftMs: minute }, minute],
    ['at the time limit', { state: 'running', sinceChangeMs: 24 * hour, leftMs: -1000 }, 10_000],
    ['long after it', { state: 'running', sinceChangeMs: 24 * hour, leftMs: -hour }, 5 * minute],
  ])('%s', (_what, changes, ms) => {
    expect(interval(changes)).toBe(ms);
  });

  it('differs by a tenth at most, so that many jobs do not ask in step', () => {
    const later = { sinceChangeMs: 5 * minute };
    expect(interval({ ...later, random: 0 })).toBe(27_000);
    expect(interval({ ...later, random: 1 })).toBe(33_000);
  });

  it('never grows shorter while nothing changes', () => {
    const waits = Array.from({ length: 500 }, (_, step) => interval({ sinceChangeMs: step * minute }));
    expect(waits.toSorted((one, other) => one - other)).toEqual(waits);
  });
});
