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

const served = {
  control: { experiments: 20, qizhi: 3, github: 4 },
  networked: { networked: 20, wandb: 5, planning: 5 },
} as const satisfies Record<WorkerSettings['zone'], Partial<Record<keyof typeof queues, number>>>;

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
      ...(queue === queues.experiments && {
        workflowBundle: { codePath: settings.bundleFile },
        maxCachedWorkflows: 300,
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
  return createQizhiActivities({
    qizhi: createQizhiClient({ ...qizhi, proxy: undefined }, { timeoutMs: 3000 }),
  });
}
