import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it, vi } from 'vitest';

import { startDevServer, type DevServer } from '../../../infra/temporal/dev-server.ts';
import { ensureSweepSchedule, sweepScheduleId } from '../../../infra/temporal/sweep-schedule.ts';
import { queues } from '../../../workflows/contract.ts';
import type { SweepReport, SweepWorkflow } from '../../../workflows/sweep-workflow.ts';
import { logPath, record, startWorld, type World } from './world.ts';

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

async function withWorkers<T>(act: () => Promise<T>): Promise<T> {
  const common = { connection: native, namespace: temporal.namespace };
  const workflows = await Worker.create({
    ...common,
    taskQueue: queues.experiments,
    workflowsPath: fileURLToPath(new URL('../../../workflows/index.ts', import.meta.url)),
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
