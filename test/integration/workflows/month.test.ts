import { afterAll, beforeAll, expect, inject, it } from 'vitest';

import { createQizhiActivities } from '../../../activities/qizhi/create-qizhi-activities.ts';
import { jobWorkflowId } from '../../../domain/ids.ts';
import { Failure } from '../../../infra/failure.ts';
import { createQizhiClient } from '../../../infra/qizhi/client.ts';
import { decisionSignals } from '../../../workflows/contract.ts';
import { dayMs, type VirtualJob } from '../../bench/qizhi/virtual-job.ts';
import { exampleNote } from '../../support/example-note.ts';
import { reaches } from '../../support/follow-experiment.ts';
import {
  jobIdOf,
  scriptedWorld,
  type AllActivities,
  type ScriptedWorld,
} from '../../support/scripted-activities.ts';
import { seldomLookedAt } from '../../support/seldom-looked-at.ts';
import { startExperiment, statusOf } from '../../support/temporal-environment.ts';
import { startTimeSkipping, type TimeSkipping } from '../../support/time-skipping.ts';
import { startVirtualPlatform, type VirtualPlatform } from '../../support/virtual-platform.ts';

const hourMs = 3_600_000;
/** 9 days in the queue and 12 in training, in three stretches each: it is taken off its nodes twice. */
const job: VirtualJob = {
  jobId: jobIdOf(0),
  gpus: 8,
  stretches: [
    { days: 4, state: 'queued' },
    { days: 3, state: 'running' },
    { days: 3, state: 'queued' },
    { days: 5, state: 'running' },
    { days: 2, state: 'queued' },
    { days: 4, state: 'running' },
  ],
};
const trainedHours = 12 * 24;
const tokenLifetimeMs = 7 * dayMs;
const outageMs = 5 * hourMs;
/** In the queue; over the first preemption and the end of the first token; in training; and just when the job ends. */
const outages = [1.9, 6.9, 12.5, 20.95].map((day) => ({ fromMs: day * dayMs, toMs: day * dayMs + outageMs }));
const account = { username: 'researcher', password: 'month-password' };
/** So seldom that three weeks are over soon; for a while after a change it is a third of it. */
const pollSeconds = 3600;

let time: TimeSkipping;
let platform: VirtualPlatform;
beforeAll(async () => {
  time = await startTimeSkipping(inject('tools').temporalTestServer);
  platform = await startVirtualPlatform({ job, outages, tokenLifetimeMs, forgetsTokensAtMs: 17 * dayMs });
});
afterAll(async () => {
  await platform.close();
  await time.close();
});

it('follows a job through three weeks, two preemptions, outages of hours and tokens that end', async () => {
  const world: ScriptedWorld = scriptedWorld({
    ...platformActivities(),
    ...recordsAndCurves(),
    ...seldomLookedAt(() => world, pollSeconds),
  });
  await time.serve(world);
  // Time stands still from then on: nobody would decide before the server's time has jumped to its end.
  world.hold('readResults');
  const handle = await startExperiment(time.client, {
    policy: { qizhiPollSeconds: pollSeconds },
    note: {
      job: { ...exampleNote().job, max_hours: 13 * 24 },
      budget: { gpu_hours: 1.1 * trainedHours * job.gpus, attempts: 3 },
    },
  });
  await time.whileTimeJumps(() => Promise.race([world.reached('readResults'), world.reached('writeNote')]));
  world.release('readResults');
  await reaches(handle, 'deciding');
  const status = await statusOf(handle);
  await handle.signal(decisionSignals.merge);
  await expect(handle.result()).resolves.toMatchObject({ outcome: 'merged' });
  const id = handle.workflowId.slice('experiment/'.length);
  const [ofJob, ofExperiment] = await Promise.all(
    [jobWorkflowId(id, 1, 0), handle.workflowId].map(async (workflowId) => {
      const history = await time.client.workflow.getHandle(workflowId).fetchHistory();
      return history.events?.length;
    }),
  );

  expect(platform.counts.create).toBe(1);
  expect(
    status.attempts.map(({ number, jobs }) => [number, jobs.map(({ jobId, state }) => [jobId, state])]),
  ).toEqual([[1, [[job.jobId, 'synced']]]]);
  expect(status.evidence?.jobs).toMatchObject([{ jobId: job.jobId }]);
  expect(status.cost.gpuHours).toBeCloseTo(trainedHours * job.gpus, 3);
  expect(platform.counts.outage).toBeGreaterThanOrEqual(outages.length);
  // The first; when the first has ended, after the outage; when the second has ended; and when the third was forgotten.
  expect(platform.counts.token).toBe(4);
  // A token whose end is known is never sent once it has ended: the one that was forgotten was turned away.
  expect(platform.counts.expired).toBe(1);
  // What happened costs events, the hundreds of looks in between do not.
  expect(platform.counts.detail).toBeGreaterThan(300);
  expect(ofJob).toBeLessThanOrEqual(30 * (job.stretches.length + 1));
  expect(ofExperiment).toBeLessThanOrEqual(700);
});

/** The product's own, on the platform of this test. */
function platformActivities(): Partial<AllActivities> {
  const qizhi = createQizhiClient({
    baseUrl: platform.url,
    api: 'openapi',
    credential: { kind: 'login', ...account },
    clientSource: 'test',
    proxy: undefined,
    requestsPerSecond: 1000,
  });
  return createQizhiActivities({ qizhi, requestsPerSecond: 1000 });
}

/** The job's own records on the shared disk, and curves that grow a little whenever somebody may look. */
function recordsAndCurves(): Partial<AllActivities> {
  return {
    awaitRecordsChange: async ({ since }) => {
      const { records } = platform.see();
      const { claim, exit } = records;
      const fingerprint = claim === null ? 'nothing' : JSON.stringify([claim, exit]);
      if (fingerprint !== since) return { records, fingerprint };
      throw new Failure('RecordsUnchanged', 'nothing new', { retryAfterMs: pollSeconds * 1000 });
    },
    awaitLiveResults: async ({ since, pauseSeconds, runs, metric }) => {
      const waitMs = since === null ? 0 : Date.parse(since.asOf) + pauseSeconds * 1000 - Date.now();
      if (waitMs > 0) throw new Failure('LiveUnchanged', 'too early', { retryAfterMs: waitMs });
      const rows = (since?.rows ?? 0) + 1;
      return {
        runs: runs.map(({ runId, seed }) => ({
          runId,
          seed,
          url: '',
          value: 1 / rows,
          lastStep: rows,
          state: 'running',
          rows,
          curve: { label: `seed ${seed}`, seed, step: [rows], value: [1 / rows] },
        })),
        baseline: null,
        asOf: new Date(Date.now()).toISOString(),
        metric,
      };
    },
  };
}
