import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';

import { startDevServer, type DevServer } from '../../../infra/temporal/dev-server.ts';
import { ensureJanitorSchedule, janitorScheduleId } from '../../../infra/temporal/janitor-schedule.ts';

let server: DevServer;
let connection: Connection;
let client: Client;
beforeAll(async () => {
  server = await startDevServer({ temporal: inject('tools').temporal });
  connection = await Connection.connect({ address: server.address });
  client = new Client({ connection, namespace: server.namespace });
});
afterAll(async () => {
  await connection.close();
  await server.close();
});

const handle = () => client.schedule.getHandle(janitorScheduleId);
const settings = { everyMinutes: 60, graceMinutes: 30 };

it('is there once, however many workers start at one time', async () => {
  await Promise.all(Array.from({ length: 5 }, async () => ensureJanitorSchedule(client, settings)));
  const { spec, action, policies } = await handle().describe();
  expect(spec.intervals).toMatchObject([{ every: 3_600_000 }]);
  expect(action).toMatchObject({
    workflowType: 'JanitorWorkflow',
    taskQueue: 'experiments',
    args: [{ dryRun: false, graceMinutes: 30 }],
  });
  expect(policies.overlap).toBe('SKIP');
});

it('is left as it is when nothing has changed, and follows changed settings', async () => {
  const before = (await handle().describe()).info.lastUpdatedAt;
  await ensureJanitorSchedule(client, settings);
  expect((await handle().describe()).info.lastUpdatedAt).toEqual(before);
  await handle().pause('somebody looks');
  await ensureJanitorSchedule(client, { everyMinutes: 5, graceMinutes: 10 });
  const { spec, action, state, policies } = await handle().describe();
  expect(spec.intervals).toMatchObject([{ every: 300_000 }]);
  expect(action.args).toEqual([{ dryRun: false, graceMinutes: 10 }]);
  expect(state).toMatchObject({ paused: true, note: 'somebody looks' });
  expect(policies.overlap).toBe('SKIP');
});

it('is deleted when there is to be none, and that again changes nothing', async () => {
  await ensureJanitorSchedule(client, { ...settings, everyMinutes: 0 });
  await ensureJanitorSchedule(client, { ...settings, everyMinutes: 0 });
  await expect(handle().describe()).rejects.toThrow();
  await ensureJanitorSchedule(client, settings);
  await expect(handle().describe()).resolves.toMatchObject({ scheduleId: janitorScheduleId });
});
