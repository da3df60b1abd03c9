import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';

import { createNotificationsActivities } from '../../../activities/notifications/create-notifications-activities.ts';
import { notifierWorkflowId, startNotifier } from '../../../infra/temporal/start-notifier.ts';
import { queues } from '../../../workflows/contract.ts';
import { patiently, reaches } from '../../support/follow-experiment.ts';
import { scriptedWorld } from '../../support/scripted-activities.ts';
import {
  startExperiment,
  startTemporalEnvironment,
  type TemporalEnvironment,
} from '../../support/temporal-environment.ts';
import { startReceiver } from './receivers.ts';

let temporal: TemporalEnvironment;
let directory: string;
let connection: NativeConnection;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hephaestus-notifier-'));
  temporal = await startTemporalEnvironment(inject('tools').temporal, { without: [queues.notifications] });
  connection = await NativeConnection.connect({ address: temporal.server.address });
});
afterAll(async () => {
  await connection.close();
  await temporal.close();
  await rm(directory, { recursive: true, force: true });
});

/** A worker of the queue, as a control zone has it; returned is how it ends. */
async function work(url: string): Promise<() => Promise<void>> {
  const worker = await Worker.create({
    connection,
    taskQueue: queues.notifications,
    activities: createNotificationsActivities({
      directory,
      settings: {
        channels: [{ kind: 'webhook', url, secret: null }],
        lookSeconds: 1,
        times: { timeZone: 'UTC', quiet: null, digest: null },
        pageUrl: 'https://hephaestus.example',
      },
    }),
  });
  const running = worker.run();
  return async () => {
    worker.shutdown();
    await running;
  };
}

it('tells of each thing once: what waits, what is decided anew, what has ended; over restarts', async () => {
  temporal.world.current = scriptedWorld();
  const old = await startExperiment(temporal.client);
  await reaches(old, 'deciding');
  await old.signal('reject', { by: 'pi' });
  await old.result();

  const receiver = await startReceiver(['ill', 'takes']);
  await Promise.all([1, 2, 3].map(() => startNotifier(temporal.client)));
  let stop = await work(receiver.url);
  const told = (): string[] => {
    const taken = receiver.posted
      .slice(1)
      .flatMap(({ body }) => body['events'] as readonly { experimentId: string; kind: string }[]);
    return taken.map(({ experimentId, kind }) => `${experimentId} ${kind}`);
  };
  const handle = await startExperiment(temporal.client);
  const id = handle.workflowId.replace('experiment/', '');
  await reaches(handle, 'deciding');
  await vi.waitFor(() => expect(told()).toEqual([`${id} decision`]), patiently);

  await stop();
  await handle.signal('merge', { by: 'pi' });
  await handle.result();
  stop = await work(receiver.url);
  await vi.waitFor(() => expect(told()).toEqual([`${id} decision`, `${id} ended`]), patiently);

  const third = await startExperiment(temporal.client);
  await reaches(third, 'deciding');
  await vi.waitFor(() => expect(told()).toHaveLength(3), patiently);
  const { history } = await looksOf(temporal);
  expect(history).toBeLessThan(60);
  await stop();
  await temporal.client.workflow.getHandle(notifierWorkflowId).terminate('the test is over');
  await receiver.close();
});

async function looksOf({ client }: TemporalEnvironment): Promise<{ readonly history: number }> {
  const { historyLength } = await client.workflow.getHandle(notifierWorkflowId).describe();
  return { history: historyLength };
}
