import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { createLimitRate } from '../../../../infra/qizhi/limit-rate.ts';
import { mostWithin } from '../../../support/most-within.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it.each([
  [2, 1000, 2],
  [2.5, 1000, 3],
  [0.5, 2000, 1],
  [20, 1000, 20],
])(
  'at %s a second lets no more than its number begin within any %s ms',
  async (perSecond, windowMs, most) => {
    const limitRate = createLimitRate(perSecond);
    const sent: number[] = [];
    const send = async () => limitRate(async () => void sent.push(Date.now()));
    const all = Array.from({ length: 30 }, send);
    await vi.advanceTimersByTimeAsync(700);
    all.push(...Array.from({ length: 30 }, send));
    await vi.advanceTimersByTimeAsync((60 / perSecond) * 1000 + 2000);
    await Promise.all(all);
    expect(sent).toHaveLength(60);
    expect(mostWithin(sent, windowMs)).toBeLessThanOrEqual(most);
  },
);

it('keeps the distance between requests that come at odd moments', async () => {
  const limitRate = createLimitRate(2);
  const sent: number[] = [];
  const all: Promise<unknown>[] = [];
  for (const pauseMs of [490, 20, 600, 480, 30, 1700, 499, 2, 499, 2, 510, 990]) {
    all.push(limitRate(async () => void sent.push(Date.now())));
    await vi.advanceTimersByTimeAsync(pauseMs);
  }
  await vi.advanceTimersByTimeAsync(10_000);
  await Promise.all(all);
  const distances = sent.slice(1).map((at, index) => at - (sent[index] ?? 0));
  expect(Math.min(...distances)).toBeGreaterThanOrEqual(500);
});

it('makes up for nothing after the process was held up', async () => {
  const limitRate = createLimitRate(2);
  const sent: number[] = [];
  const all = Array.from({ length: 12 }, async () => limitRate(async () => void sent.push(Date.now())));
  await vi.advanceTimersByTimeAsync(0);
  // Ten seconds in which no timer fires.
  vi.setSystemTime(Date.now() + 10_000);
  await vi.advanceTimersByTimeAsync(20_000);
  await Promise.all(all);
  expect(mostWithin(sent, 1000)).toBeLessThanOrEqual(2);
});

it('goes on after one that failed', async () => {
  const limitRate = createLimitRate(1000);
  await expect(limitRate(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  const next = limitRate(() => Promise.resolve('yes'));
  await vi.advanceTimersByTimeAsync(1000);
  expect(await next).toBe('yes');
});
