/**
 * The worker process of `many`: workflows, and polls that are answered at zero cost, so that what is measured is Temporal
 * and the worker. Each `measure` that it is sent is answered with what happened since the last one.
 */
import { randomUUID } from 'node:crypto';

import type { Context } from '@temporalio/activity';
import { NativeConnection, Worker, type ActivityInterceptors } from '@temporalio/worker';
import { getEachMessage, getOneMessage, sendMessage } from 'execa';

import { Failure } from '../../../infra/failure.ts';
import { queues } from '../../../workflows/contract.ts';
import { scriptedWorld } from '../../support/scripted-activities.ts';
import { quietRuntime } from '../../support/temporal-environment.ts';
import type { ManyMeasure, ManySettings } from './many-settings.ts';
import { workflowTaskOptions } from '../../../workers/workflow-task-options.ts';

const { address, namespace, bundleFile, pollSeconds } = (await getOneMessage()) as ManySettings;
let latencies: number[] = [];
let polls = 0;
let created = 0;

function unchanged(type: 'JobUnchanged' | 'RecordsUnchanged'): Failure {
  polls += 1;
  const retryAfterMs = Math.round(pollSeconds * 1000 * (0.9 + Math.random() * 0.2));
  return new Failure(type, 'nothing changed', { retryAfterMs });
}

const { activities } = scriptedWorld({
  createJob: async () => {
    created += 1;
    return { status: 'created', jobId: `job-${randomUUID()}` };
  },
  awaitJobChange: async () => {
    throw unchanged('JobUnchanged');
  },
  awaitRecordsChange: async () => {
    throw unchanged('RecordsUnchanged');
  },
});

function latencyInterceptor({ info }: Context): ActivityInterceptors {
  latencies.push(Math.max(0, Date.now() - info.currentAttemptScheduledTimestampMs));
  return {};
}

function measure(): ManyMeasure {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const measured = { created, polls, medianMs: at(0.5), p99Ms: at(0.99), worstMs: sorted.at(-1) ?? 0 };
  latencies = [];
  polls = 0;
  return measured;
}

quietRuntime();
const connection = await NativeConnection.connect({ address });
const workers = await Promise.all(
  [queues.experiments, queues.qizhi, queues.networked].map((taskQueue) =>
    Worker.create({
      connection,
      namespace,
      taskQueue,
      activities,
      interceptors: { activity: [latencyInterceptor] },
      ...(taskQueue === queues.experiments && {
        workflowBundle: { codePath: bundleFile },
        ...workflowTaskOptions,
      }),
    }),
  ),
);
const running = workers.map((worker) => worker.run());
await sendMessage('ready');
for await (const message of getEachMessage()) {
  if (message === 'end') break;
  await sendMessage(measure());
}
for (const worker of workers) worker.shutdown();
await Promise.all(running);
await connection.close();
