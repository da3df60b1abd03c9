/**
 * One worker process of the bench: the real activities of the platform or of the attempts, everything else scripted. It
 * ends on SIGTERM, and is expected to be killed at any moment.
 */
import { NativeConnection, Worker } from '@temporalio/worker';
import { getOneMessage, sendMessage } from 'execa';

import { createAttemptsActivities } from '../../../activities/attempts/create-attempts-activities.ts';
import { createQizhiActivities } from '../../../activities/qizhi/create-qizhi-activities.ts';
import { createQizhiClient } from '../../../infra/qizhi/client.ts';
import { heartbeatInterceptor } from '../../../workers/heartbeat-interceptor.ts';
import { queues } from '../../../workflows/contract.ts';
import { scriptedWorld } from '../../support/scripted-activities.ts';
import { quietRuntime } from '../../support/temporal-environment.ts';
import type { WorkerSettings } from './worker-settings.ts';
import { workflowTaskOptions } from '../../../workers/workflow-task-options.ts';

const served = {
  control: { experiments: 20, qizhi: 3, github: 4 },
  networked: { networked: 20, wandb: 5, planning: 5 },
} as const satisfies Record<WorkerSettings['zone'], Partial<Record<keyof typeof queues, number>>>;

/** Shorter than in the product, so that an answer that never comes costs little. */
const timeoutMs = 3000;

const settings = (await getOneMessage()) as WorkerSettings;
quietRuntime();
const connection = await NativeConnection.connect({ address: settings.address });
const activities = { ...scriptedWorld().activities, ...realActivities(settings) };
const workers = await Promise.all(
  Object.entries(served[settings.zone]).map(([queue, concurrency]) =>
    Worker.create({
      connection,
      namespace: settings.namespace,
      taskQueue: queue,
      activities,
      maxConcurrentActivityTaskExecutions: concurrency,
      interceptors: { activity: [heartbeatInterceptor] },
      shutdownGraceTime: '2 seconds',
      ...(queue === queues.qizhi && { maxTaskQueueActivitiesPerSecond: settings.qizhi.requestsPerSecond }),
      ...(queue === queues.experiments && {
        workflowBundle: { codePath: settings.bundleFile },
        ...workflowTaskOptions,
      }),
    }),
  ),
);
const running = workers.map((worker) => worker.run());
await sendMessage('ready');
await Promise.all(running);
await connection.close();

function realActivities({ zone, qizhi, sharedDir }: WorkerSettings): object {
  if (zone === 'networked') {
    return createAttemptsActivities({ disk: { sharedDir, jobSharedDir: sharedDir }, wandb: {} });
  }
  const { baseUrl, username, password, requestsPerSecond } = qizhi;
  const client = createQizhiClient(
    {
      baseUrl,
      api: 'openapi',
      credential: { kind: 'login', username, password },
      clientSource: 'bench',
      proxy: undefined,
      requestsPerSecond,
    },
    { timeoutMs },
  );
  return createQizhiActivities({ qizhi: client, requestsPerSecond });
}
