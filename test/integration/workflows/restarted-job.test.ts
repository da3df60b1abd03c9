import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';

import { Failure } from '../../../infra/failure.ts';
import { decisionSignals } from '../../../workflows/contract.ts';
import { patiently } from '../../support/follow-experiment.ts';
import {
  emptyRecords,
  exited,
  jobIdOf,
  observation,
  scriptedWorld,
  trained,
} from '../../support/scripted-activities.ts';
import {
  startExperiment,
  startTemporalEnvironment,
  statusOf,
  withWorld,
  type TemporalEnvironment,
} from '../../support/temporal-environment.ts';

let temporal: TemporalEnvironment;
beforeAll(async () => {
  temporal = await startTemporalEnvironment(inject('tools').temporal);
});
afterAll(() => temporal.close());

it('judges a job that was taken off its nodes by its last round, which the disk was slow to show', async () => {
  let diskIsAway = false;
  const world = scriptedWorld({
    awaitRecordsChange: async ({ since }) => {
      if (diskIsAway && since !== null)
        throw new Failure('SharedDiskUnavailable', 'it does not answer', { retryAfterMs: 200 });
      const { records } = world.jobs.get(0) ?? trained(0);
      const fingerprint = JSON.stringify(records.exit);
      if (fingerprint === since) throw new Failure('RecordsUnchanged', 'nothing new', { retryAfterMs: 200 });
      return { records, fingerprint };
    },
  });
  const first = exited(143, { signal: 'TERM', reason: 'the job was told to stop', endedAt: 1000 });
  world.jobs.set(0, {
    observation: observation({ state: 'queued', rawStatus: 'job_queuing' }),
    records: { ...emptyRecords, claim: { jobId: jobIdOf(0), host: 'node', at: 0 }, exit: first },
  });
  await withWorld(temporal, world, async () => {
    const handle = await startExperiment(temporal.client);
    // A second wait for the records has begun: the first round's end is known.
    await vi.waitFor(() => {
      const looks = world.calls.filter(({ name }) => name === 'awaitRecordsChange');
      expect(looks.some(({ input }) => JSON.stringify(input).includes('143'))).toBe(true);
    }, patiently);
    diskIsAway = true;
    const { observation: succeeded, records } = trained(0);
    world.jobs.set(0, {
      observation: { ...succeeded, round: 2 },
      records: { ...records, exit: exited(0, { startedAt: 5000, endedAt: 3_605_000 }) },
    });
    await vi.waitFor(
      async () => {
        const { attempts, phase } = await statusOf(handle);
        expect(attempts.map(({ jobs }) => jobs.map(({ state, detail }) => [state, detail]))).toEqual([
          [['synced', '30 rows at W&B']],
        ]);
        expect(phase).toBe('deciding');
      },
      { timeout: 40_000, interval: 500 },
    );
    await handle.signal(decisionSignals.reject);
    await handle.result();
  });
  expect(world.calls.filter(({ name }) => name === 'createJob')).toHaveLength(1);
});
