import { join } from 'node:path';

import { Client, Connection } from '@temporalio/client';

import { experimentWorkflowId } from '../../../domain/ids.ts';
import { pause } from '../../../infra/pause.ts';
import { decisionSignals, queues, stepTimeout } from '../../../workflows/contract.ts';
import type { ExperimentWorkflow } from '../../../workflows/index.ts';
import { exampleNote } from '../../support/example-note.ts';
import { startIpcProcess } from '../../support/ipc-process.ts';
import { quickPolicy } from '../../support/temporal-environment.ts';
import { processUse, useOfAll, type ProcessUse } from '../qizhi/processes.ts';

/** A Temporal server, and the processes that make it up. */
export interface CrowdServer {
  readonly address: string;
  readonly namespace: string;
  readonly pids: () => Promise<readonly number[]>;
}

/** What so many experiments at once took, from their start to their merge. */
export interface CrowdUse {
  readonly experiments: number;
  readonly wallSeconds: number;
  /** Of the worker and of the server. */
  readonly cpuSeconds: { readonly worker: number; readonly server: number };
  /** At most, resident, bytes. */
  readonly memoryBytes: { readonly worker: number; readonly server: number };
}

const script = join(import.meta.dirname, 'crowd-process.ts');
const startsAtOnce = 40;
const lookEveryMs = 1000;
const tellEveryMs = 60_000;
/** Postgres waits for its disk at every step. */
const limitMs = 3_600_000;

/** Runs so many experiments at one time with everything outside answering at no cost; the PI merges what is asked. */
export async function runCrowd(server: CrowdServer, experiments: number): Promise<CrowdUse> {
  const { address, namespace } = server;
  const worker = await startIpcProcess(script, { address, namespace });
  const connection = await Connection.connect({ address });
  try {
    return await watchCrowd(new Client({ connection, namespace }), server, worker.pid, experiments);
  } finally {
    await connection.close();
    await worker.stop();
  }
}

async function watchCrowd(
  client: Client,
  server: CrowdServer,
  workerPid: number,
  experiments: number,
): Promise<CrowdUse> {
  const crowd = `crowd-${experiments}-`;
  const before = await useOf(workerPid, server);
  const peak = { worker: 0, server: 0 };
  const begun = performance.now();
  await startAll(client, crowd, experiments);
  const merged = new Set<string>();
  let told = begun;
  for (;;) {
    await mergeWhatIsAsked(client, crowd, merged);
    const now = await useOf(workerPid, server);
    peak.worker = Math.max(peak.worker, now.worker.memoryBytes);
    peak.server = Math.max(peak.server, now.server.memoryBytes);
    const { count } = await client.workflow.count(`${ofCrowd(crowd)} AND ExecutionStatus = 'Completed'`);
    if (count === experiments) break;
    if (performance.now() > told + tellEveryMs) {
      told = performance.now();
      console.log(`${count} of ${experiments} have ended, after ${((told - begun) / 1000).toFixed(0)} s`);
    }
    if (performance.now() - begun > limitMs) throw new Error(`only ${count} of ${experiments} have ended`);
    await pause(lookEveryMs);
  }
  const wallSeconds = (performance.now() - begun) / 1000;
  const after = await useOf(workerPid, server);
  return {
    experiments,
    wallSeconds,
    cpuSeconds: {
      worker: after.worker.cpuSeconds - before.worker.cpuSeconds,
      server: after.server.cpuSeconds - before.server.cpuSeconds,
    },
    memoryBytes: peak,
  };
}

async function startAll(client: Client, crowd: string, experiments: number): Promise<void> {
  let next = 0;
  const starter = async (): Promise<void> => {
    while (next < experiments) {
      next += 1;
      const id = `${crowd}${next}`;
      const note = exampleNote({ id, seeds: [0] });
      await client.workflow.start<typeof ExperimentWorkflow>('ExperimentWorkflow', {
        workflowId: experimentWorkflowId(id),
        taskQueue: queues.experiments,
        workflowTaskTimeout: stepTimeout,
        args: [{ id, source: { kind: 'note', note, body: '## Why\nTo see.\n' }, by: 'bench', policy }],
      });
    }
  };
  await Promise.all(Array.from({ length: startsAtOnce }, starter));
}

/** What is asked for is asked as often as in the product. */
const policy = { ...quickPolicy, githubPollSeconds: 60, qizhiPollSeconds: 30 };

async function mergeWhatIsAsked(client: Client, crowd: string, merged: Set<string>): Promise<void> {
  const query = `${ofCrowd(crowd)} AND HephaestusPhase = 'deciding' AND ExecutionStatus = 'Running'`;
  for await (const { workflowId } of client.workflow.list({ query })) {
    if (merged.has(workflowId)) continue;
    merged.add(workflowId);
    await client.workflow.getHandle(workflowId).signal(decisionSignals.merge, { by: 'bench' });
  }
}

/** The experiments themselves: their jobs and syncs begin with the same letters. */
function ofCrowd(crowd: string): string {
  return `WorkflowType = 'ExperimentWorkflow' AND WorkflowId STARTS_WITH '${experimentWorkflowId(crowd)}'`;
}

async function useOf(
  workerPid: number,
  server: CrowdServer,
): Promise<{ readonly worker: ProcessUse; readonly server: ProcessUse }> {
  return { worker: await processUse(workerPid), server: await useOfAll(await server.pids()) };
}
