import { expect, it } from 'vitest';

import { createPacer } from '../../../../activities/qizhi/pacer.ts';

it('lets few jobs ask as often as they like', () => {
  const pacer = createPacer({ requestsPerSecond: 0.8, now: () => 0 });
  expect(pacer.wait('a', 30_000)).toBe(30_000);
  expect(pacer.wait('b', 30_000)).toBe(30_000);
  expect(pacer.wait('a', 10_000)).toBe(10_000);
});

it('stretches every wait alike once they would come to more than the rate', () => {
  const pacer = createPacer({ requestsPerSecond: 0.8, now: () => 0 });
  for (let job = 0; job < 200; job += 1) pacer.wait(`job-${job}`, 30_000);
  expect(pacer.wait('job-0', 30_000)).toBe(250_000);
});

it('counts what a look costs', () => {
  const pacer = createPacer({ requestsPerSecond: 0.1, now: () => 0 });
  expect(pacer.wait('a', 10_000, 2)).toBe(20_000);
});

it('forgets jobs that ask no more', () => {
  let now = 0;
  const pacer = createPacer({ requestsPerSecond: 0.8, now: () => now });
  for (let job = 0; job < 200; job += 1) pacer.wait(`job-${job}`, 30_000);
  now += 600_000;
  pacer.wait('job-0', 30_000);
  now += 600_000;
  expect(pacer.wait('job-0', 30_000)).toBe(30_000);
});
