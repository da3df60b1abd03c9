/**
 * The worker process of `crowd`: the real workflows on every queue, and activities that are answered at zero cost, so that
 * what is measured is Temporal and the worker. It ends on SIGTERM.
 */
import { NativeConnection, Worker } from '@temporalio/worker';
import { getOneMessage, sendMessage } from 'execa';

import { queues } from '../../../workflows/contract.ts';
import { scriptedWorld } from '../../support/scripted-activities.ts';
import { bundledWorkflows, quietRuntime } from '../../support/temporal-environment.ts';
import { workflowTaskOptions } from '../../../workers/workflow-task-options.ts';

const { address, namespace } = (await getOneMessage()) as { address: string; namespace: string };
quietRuntime();
const connection = await NativeConnection.connect({ address });
const { activities } = scriptedWorld({}, { longestPauseMs: Infinity });
const workflowBundle = await bundledWorkflows();
const workers = await Promise.all(
  Object.values(queues).map((taskQueue) =>
    Worker.create({
      connection,
      namespace,
      taskQueue,
      activities,
      ...(taskQueue === queues.experiments && { workflowBundle, ...workflowTaskOptions }),
    }),
  ),
);
const running = workers.map((worker) => worker.run());
await sendMessage('ready');
await Promise.all(running);
await connection.close();
