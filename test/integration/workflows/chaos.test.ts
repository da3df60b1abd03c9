import { expect, inject, it } from 'vitest';

import { runChaos } from '../../bench/qizhi/chaos.ts';
import { describeChaos } from '../../bench/qizhi/chaos-report.ts';
import { quietRuntime } from '../../support/temporal-environment.ts';

it('trains each attempt exactly once and ends every experiment rightly, whatever fails and whoever is killed', async () => {
  quietRuntime();
  const report = await runChaos(inject('tools'), {
    experiments: 50,
    seed: 7,
    inFlight: 50,
    mishapRate: 0.01,
    meanLifeMs: 30_000,
    longestMs: 600_000,
    say: () => undefined,
  });
  expect(report.problems, describeChaos(report)).toEqual([]);
  // A run in which nothing went wrong would prove nothing.
  expect(report.kills).toBeGreaterThan(2);
  expect(report.turnedAway).toBeGreaterThan(0);
  expect(report.submissions['unknown']).toBeGreaterThan(5);
  expect(report.settled).toMatchObject({ claim: expect.any(Number), person: expect.any(Number) });
  expect(Object.values(report.faults).every((met) => met > 0)).toBe(true);
}, 800_000);
