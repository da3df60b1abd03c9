import { join } from 'node:path';

import { jobWorkflowId } from '../../../domain/ids.ts';
import type { Tools } from '../../../infra/tools/ensure-tools.ts';
import { queues } from '../../../workflows/contract.ts';
import type { JobWorkflow } from '../../../workflows/job-workflow.ts';
import { exampleNote } from '../../support/example-note.ts';
import { startIpcProcess } from '../../support/ipc-process.ts';
import { openBenchWorld, type BenchWorld } from './bench-world.ts';
import type { ManyMeasure, ManySettings } from './many-settings.ts';
import { pause } from '../../../infra/pause.ts';
import { processUse } from './processes.ts';

const script = join(import.meta.dirname, 'many-process.ts');
const sizes = [2000, 5000, 10_000];
/** Looks at each of two witnesses: as seldom as the product asks in a long wait, and as often as it asks at first. */
const paces = [600, 30];
/** Workflows that are being started at one time. */
const atOnce = 40;
const settleMs = 20_000;
const windowMs = 60_000;
/** For one size at one pace, from its first start to its last number. */
const limitMs = 600_000;
/** A look that begins later than this is not what was asked for any more. */
const brokenMs = 5000;

/**
 * Up to 10,000 jobs waiting on one Temporal development server, their polls answered at zero cost: memory and processor
 * time of the worker and of the server, and how long a look waits for a worker, until it breaks. Nothing is an aim here.
 */
export async function benchMany(tools: Pick<Tools, 'temporal' | 'uv'>): Promise<boolean> {
  for (const pollSeconds of paces) {
    console.log(`each witness of each job asked every ${pollSeconds} s:`);
    const world = await openBenchWorld(tools);
    try {
      await climb(world, pollSeconds);
    } finally {
      await world.close();
    }
  }
  return true;
}

async function climb(world: BenchWorld, pollSeconds: number): Promise<void> {
  const { address, namespace, bundleFile } = world.workerSettings('control', 1);
  const worker = await startManyProcess({ address, namespace, bundleFile, pollSeconds });
  try {
    let waiting = 0;
    for (const size of sizes) {
      const deadline = Date.now() + limitMs;
      const begun = Date.now();
      const { created, started } = await startUntil(world, worker, { from: waiting, to: size, deadline });
      waiting = started;
      const startSeconds = (Date.now() - begun) / 1000;
      await pause(settleMs);
      const broken = await measureWindow(world, worker, created, startSeconds);
      if (created < size) {
        console.log(`  breaks: only ${created} of ${size} jobs were created within ${limitMs / 1000} s`);
        return;
      }
      if (broken) {
        console.log(`  breaks at ${size}: one look in a hundred begins later than ${brokenMs / 1000} s`);
        return;
      }
    }
  } finally {
    await worker.stop();
  }
}

/** Starts the workflows and waits until their jobs are created; both end at the deadline. */
async function startUntil(
  { client }: BenchWorld,
  worker: ManyProcess,
  { from, to, deadline }: { readonly from: number; readonly to: number; readonly deadline: number },
): Promise<{ readonly created: number; readonly started: number }> {
  const { job } = exampleNote();
  let next = from;
  const starter = async (): Promise<void> => {
    while (next < to && Date.now() < deadline) {
      next += 1;
      const key = { experimentId: `waiting-${next}`, attempt: 1, seed: 0 };
      await client.workflow.start<typeof JobWorkflow>('JobWorkflow', {
        workflowId: jobWorkflowId(key.experimentId, key.attempt, key.seed),
        taskQueue: queues.experiments,
        args: [{ ...key, job, command: 'sh start.sh', pollSeconds: 30, unknownDeadlineMinutes: 30 }],
      });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, starter));
  let created = 0;
  do {
    await pause(1000);
    ({ created } = await worker.measure());
  } while (created < next && Date.now() < deadline);
  return { created, started: next };
}

async function measureWindow(
  { server }: BenchWorld,
  worker: ManyProcess,
  jobs: number,
  startSeconds: number,
): Promise<boolean> {
  await worker.measure();
  const use = () => Promise.all([processUse(worker.pid), processUse(server.pid)]);
  const before = await use();
  const begun = Date.now();
  await pause(windowMs);
  const measured = await worker.measure();
  const after = await use();
  const seconds = (Date.now() - begun) / 1000;
  const told = ['worker', 'server'].map((name, index) => {
    const memory = ((after[index]?.memoryBytes ?? 0) / 1024 ** 2).toFixed(0);
    const cpu = ((after[index]?.cpuSeconds ?? 0) - (before[index]?.cpuSeconds ?? 0)) / seconds;
    return `${name} ${memory} MB, ${(100 * cpu).toFixed(0)} % of a core`;
  });
  console.log(
    `  ${jobs} waiting (the last wave took ${startSeconds.toFixed(0)} s): ${told.join('; ')}; ` +
      `${(measured.polls / seconds).toFixed(0)} polls a second; schedule to start ${measured.medianMs} ms in the median, ` +
      `${measured.p99Ms} ms at the 99th percentile, ${measured.worstMs} ms at worst`,
  );
  return measured.p99Ms > brokenMs;
}

interface ManyProcess {
  readonly pid: number;
  measure(): Promise<ManyMeasure>;
  stop(): Promise<void>;
}

async function startManyProcess(settings: ManySettings): Promise<ManyProcess> {
  const worker = await startIpcProcess(script, settings);
  return {
    pid: worker.pid,
    measure: async () => (await worker.ask('measure')) as ManyMeasure,
    stop: async () => {
      await worker.tell('end');
      await worker.stop();
    },
  };
}
