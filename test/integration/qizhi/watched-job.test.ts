import { fileURLToPath } from 'node:url';

import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';

import { createQizhiActivities } from '../../../activities/qizhi/create-qizhi-activities.ts';
import { Failure } from '../../../infra/failure.ts';
import type { QizhiClient } from '../../../infra/qizhi/client.ts';
import { startDevServer, type DevServer } from '../../../infra/temporal/dev-server.ts';
import { heartbeatInterceptor } from '../../../workers/heartbeat-interceptor.ts';
import { quietRuntime } from '../../support/temporal-environment.ts';
import type { watchedJob } from './watched-job-workflow.ts';

let server: DevServer;
const taskQueue = 'qizhi';

beforeAll(async () => {
  quietRuntime();
  server = await startDevServer({ temporal: inject('tools').temporal });
});
afterAll(async () => {
  await server.close();
});

const nothing = (): Promise<never> => Promise.reject(new Failure('JobNotFound', 'no such job'));

/** A platform that does not know any job. */
function emptyPlatform(): { readonly qizhi: QizhiClient; readonly looks: () => number } {
  let looks = 0;
  const getJob = (): Promise<never> => {
    looks += 1;
    return nothing();
  };
  const qizhi = { createJob: nothing, getJob, stopJob: nothing, explainJob: nothing, findJob: nothing };
  return { qizhi, looks: () => looks };
}

it('counts its looks through failed attempts, on a real server', async () => {
  const { qizhi, looks } = emptyPlatform();
  const worker = await Worker.create({
    connection: await NativeConnection.connect({ address: server.address }),
    namespace: server.namespace,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('watched-job-workflow.ts', import.meta.url)),
    activities: createQizhiActivities({ qizhi, requestsPerSecond: 1000 }),
    interceptors: { activity: [heartbeatInterceptor] },
    maxTaskQueueActivitiesPerSecond: 1000,
  });
  const connection = await Connection.connect({ address: server.address });
  const client = new Client({ connection, namespace: server.namespace });
  const seen = await worker.runUntil(
    client.workflow.execute<typeof watchedJob>('watchedJob', {
      taskQueue,
      workflowId: 'watched',
      args: ['job-1', null],
    }),
  );
  expect(seen.observation).toMatchObject({ jobId: 'job-1', state: 'gone', reason: 'no such job' });
  expect(looks()).toBe(5);
  await connection.close();
}, 60_000);
