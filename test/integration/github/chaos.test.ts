import { expect, inject, it } from 'vitest';

import { runChaos } from '../../bench/github/chaos.ts';
import { describeChaos } from '../../bench/github/chaos-report.ts';
import { quietRuntime } from '../../support/temporal-environment.ts';

it('makes one pull request and one comment for each experiment, and merges only what was shown, whatever fails', async () => {
  quietRuntime();
  const report = await runChaos(inject('tools'), {
    experiments: 50,
    seed: 7,
    inFlight: 25,
    meanLifeMs: 30_000,
    longestMs: 600_000,
    say: () => undefined,
  });
  expect(report.problems, describeChaos(report)).toEqual([]);
  // A run in which nothing went wrong would prove nothing.
  expect(report.kills).toBeGreaterThan(0);
  expect(report.faults['faulty']).toBeGreaterThan(10);
  for (const what of ['webhooks dropped', 'webhooks duplicated', 'webhooks reordered']) {
    expect(report.faults[what]).toBeGreaterThan(0);
  }
  expect(Object.values(report.meddled).reduce((sum, times) => sum + times, 0)).toBeGreaterThan(0);
}, 900_000);
