import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it, vi } from 'vitest';

import { openExperiments } from '../../../client/experiments.ts';
import { loadConfig } from '../../../infra/config/load-config.ts';
import { startDevServer, type DevServer } from '../../../infra/temporal/dev-server.ts';
import { ensureSweepSchedule, sweepScheduleId } from '../../../infra/temporal/sweep-schedule.ts';
import { queues, type SweepReport } from '../../../workflows/contract.ts';
import type { SweepWorkflow } from '../../../workflows/sweep-workflow.ts';
import { logPath, record, startWorld, type World } from './world.ts';
import { bundledWorkflows } from '../../support/temporal-environment.ts';

let recordings: string;
let temporal: DevServer;
let connection: Connection;
let native: NativeConnection;
let client: Client;
let world: World;
beforeAll(async () => {
  recordings = await mkdtemp(join(tmpdir(), 'hephaestus-test-'));
  temporal = await startDevServer({ temporal: inject('tools').temporal });
  connection = await Connection.connect({ address: temporal.address });
  native = await NativeConnection.connect({ address: temporal.address });
  client = new Client({ connection, namespace: temporal.namespace });
});
afterAll(async () => {
  await connection.close();
  await native.close();
  await temporal.close();
  await rm(recordings, { recursive: true, force: true });
});
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

async function place(id: string): Promise<void> {
  const recorded = await logPath(await record(recordings, {}, inject('tools').wandb, id));
  const target = join(world.sharedDir, 'by-hand', 'wandb', `offline-run-20260101_000000-${id}`);
  await cp(dirname(recorded), target, { recursive: true });
}

const seen = { timeout: 60_000, interval: 200 };

async function withWorkers<T>(act: () => Promise<T>): Promise<T> {
  const common = { connection: native, namespace: temporal.namespace };
  const workflows = await Worker.create({
    ...common,
    taskQueue: queues.experiments,
    workflowBundle: await bundledWorkflows(),
  });
  const activities = await Worker.create({
    ...common,
    taskQueue: queues.wandb,
    activities: world.activities,
  });
  return activities.runUntil(workflows.runUntil(act));
}

const sweep = (workflowId: string): Promise<SweepReport> =>
  client.workflow.execute<typeof SweepWorkflow>('SweepWorkflow', {
    workflowId,
    taskQueue: queues.experiments,
    args: [],
  });

it('brings runs of nobody to the server, once, and then has nothing to do', async () => {
  await place('left-1');
  await place('left-2');
  await withWorkers(async () => {
    expect(await sweep('first')).toMatchObject({ runs: 2, begun: 2, underWay: 0, quarantined: [] });
    for (const runId of ['left-1', 'left-2']) {
      const result: unknown = await client.workflow.getHandle(`wandb/lab/digits/${runId}`).result();
      expect(result).toMatchObject({ status: 'acknowledged' });
      const run = await world.client.run({ entity: 'lab', project: 'digits', runId });
      expect(run).toMatchObject({ rows: 12, state: 'finished' });
    }
    await vi.waitFor(async () => expect(await sweep(`again-${Date.now()}`)).toMatchObject({ begun: 0 }));
  });
});

it('leaves a run to whoever holds its lock', async () => {
  await place('held');
  await client.workflow.start('SomebodyElse', {
    workflowId: 'wandb/lab/digits/held',
    taskQueue: 'nobody',
    args: [],
  });
  await withWorkers(async () => {
    expect(await sweep('beside')).toMatchObject({ runs: 1, begun: 0, underWay: 1 });
  });
  expect(await world.client.run({ entity: 'lab', project: 'digits', runId: 'held' })).toBeNull();
});

/** A run of an experiment whose job was killed and left no exit record. */
async function placeKilled(id: string): Promise<string> {
  const recorded = await logPath(await record(recordings, {}, inject('tools').wandb, id));
  const attempt = join(world.sharedDir, 'experiments', 'ended', 'attempts', '1', '0');
  await mkdir(join(attempt, 'claim'), { recursive: true });
  await writeFile(join(attempt, 'claim', 'job_id'), 'job-1');
  await writeFile(join(attempt, 'heartbeat.json'), '{"at":1}');
  const folder = join(attempt, 'wandb', `offline-run-20260101_000000-${id}`);
  await cp(dirname(recorded), folder, { recursive: true });
  return attempt;
}

it('leaves the run of a job that may go on, and takes it when the janitor has written that it is over', async () => {
  const attempt = await placeKilled('killed');
  await withWorkers(async () => {
    expect(await sweep('before')).toMatchObject({ begun: 0 });
    const settled = { claimedBy: 'job-1', beat: '{"at":1}' };
    await writeFile(join(attempt, 'janitor.json'), JSON.stringify({ entries: [], settled }));
    expect(await sweep('after')).toMatchObject({ begun: 1 });
    const result: unknown = await client.workflow.getHandle('wandb/lab/digits/killed').result();
    expect(result).toMatchObject({ status: 'acknowledged' });
  });
});

it('asks a server that refuses the key once', async () => {
  await place('refused-1');
  await place('refused-2');
  await world.fault({ kind: 'status', on: 'graphql', status: 401, times: 50 });
  await withWorkers(async () => {
    const failed: unknown = await sweep('refused').catch((error: unknown) => error);
    expect(failed).toMatchObject({ cause: { cause: { type: 'WandbUnauthorized' } } });
  });
  const { operations } = (await (await fetch(`${world.server.url}/_lab/stats`)).json()) as {
    operations: Record<string, number>;
  };
  expect(operations).toEqual({ Viewer: 1 });
});

it('is seen from outside, with the reason when it failed', async () => {
  const env = { TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: temporal.namespace };
  const experiments = openExperiments(loadConfig({ env, zones: [], cwd: world.root }).temporal);
  try {
    expect(await experiments.seeSweep()).toBeNull();
    await ensureSweepSchedule(client, { parallel: 4, everyMinutes: 600 });
    await world.fault({ kind: 'status', on: 'graphql', status: 401 });
    const schedule = client.schedule.getHandle(sweepScheduleId);
    await withWorkers(async () => {
      await schedule.trigger();
      await vi.waitFor(
        async () => expect((await experiments.seeSweep())?.failure).toContain('WANDB_API_KEY'),
        seen,
      );
      await schedule.trigger();
      await vi.waitFor(
        async () =>
          expect(await experiments.seeSweep()).toMatchObject({ report: { runs: 0 }, failure: null }),
        seen,
      );
    });
    await schedule.delete();
  } finally {
    await experiments.close();
  }
});

it('has a schedule that follows the settings', async () => {
  const settings = { parallel: 4, everyMinutes: 10 };
  await Promise.all(Array.from({ length: 3 }, async () => ensureSweepSchedule(client, settings)));
  const handle = client.schedule.getHandle(sweepScheduleId);
  expect((await handle.describe()).action).toMatchObject({ workflowType: 'SweepWorkflow' });
  await ensureSweepSchedule(client, { ...settings, everyMinutes: 5 });
  expect((await handle.describe()).spec.intervals).toMatchObject([{ every: 300_000 }]);
  await ensureSweepSchedule(client, { ...settings, everyMinutes: 0 });
  await expect(handle.describe()).rejects.toThrow();
});
