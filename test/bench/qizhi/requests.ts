import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { jobWorkflowId } from '../../../domain/ids.ts';
import { definitionOf } from '../../../infra/config/keys.ts';
import type { Tools } from '../../../infra/tools/ensure-tools.ts';
import { queues } from '../../../workflows/contract.ts';
import type { JobWorkflow } from '../../../workflows/job-workflow.ts';
import { exampleNote } from '../../support/example-note.ts';
import { openBenchWorld, type BenchWorld } from './bench-world.ts';
import { pause } from '../../../infra/pause.ts';
import { startWorkerProcess } from './worker-processes.ts';

const jobs = 200;
const pollSeconds = 30;
/** As it is set when nobody sets it. */
const requestsPerSecond = Number(definitionOf('QIZHI_REQUESTS_PER_SECOND').fallback);
/** Every job is looked at once when it was taken, and then more seldom the more there are. */
const settlingMinutes = 3;
const measuredMinutes = 5;
const minuteMs = 60_000;
const aims = { average: 1, mostPerSecond: 3 };
/** A queue that does not move at all. */
const standstill = { times: { queuingMs: 24 * 3_600_000 }, cluster: { gpus: 0 } };

/**
 * 200 jobs in a queue that stands still, watched by the product at its own pace: the requests that reach the platform,
 * on average and in the worst second, from the first submission on. Returns whether both are within the aims.
 */
export async function benchRequests(tools: Pick<Tools, 'temporal' | 'uv'>): Promise<boolean> {
  const world = await openBenchWorld(tools);
  try {
    await world.lab.change(standstill);
    const workers = await Promise.all(
      (['control', 'networked'] as const).map((zone) =>
        startWorkerProcess(world.workerSettings(zone, requestsPerSecond)),
      ),
    );
    const begun = Date.now();
    await Promise.all(Array.from({ length: jobs }, (_, index) => startJob(world, index)));
    while ((await world.lab.stats()).jobs < jobs) await pause(500);
    const submitted = await world.lab.stats();
    console.log(
      `${jobs} jobs submitted in ${seconds(begun)} s by ${submitted.requests} requests, at most ${submitted.mostPerSecond.requests} in a second`,
    );
    await countMinutes(world, 'settling', settlingMinutes);
    const requests = await countMinutes(world, 'waiting', measuredMinutes);
    const { mostPerSecond } = await world.lab.stats();
    await Promise.all(workers.map((worker) => worker.stop()));
    return judge(requests, mostPerSecond.requests);
  } finally {
    await world.close();
  }
}

/** Tells how many requests came in each minute; returns their sum. */
async function countMinutes({ lab }: BenchWorld, what: string, minutes: number): Promise<number> {
  let last = (await lab.stats()).requests;
  const first = last;
  for (let minute = 1; minute <= minutes; minute += 1) {
    await pause(minuteMs);
    const { requests } = await lab.stats();
    console.log(`${what}, minute ${minute}: ${requests - last} requests`);
    last = requests;
  }
  return last - first;
}

function judge(requests: number, most: number): boolean {
  const average = requests / ((measuredMinutes * minuteMs) / 1000);
  console.log(
    `${jobs} jobs waiting: ${average.toFixed(2)} requests a second on average (aim: under ${aims.average}), ` +
      `at most ${most} in any one second since the first submission (aim: ${aims.mostPerSecond})`,
  );
  return average < aims.average && most <= aims.mostPerSecond;
}

async function startJob({ client, sharedDir }: BenchWorld, index: number): Promise<void> {
  const experimentId = `waiting-${index}`;
  const { job } = exampleNote();
  const folder = join(sharedDir, 'experiments', experimentId, 'attempts', '1', '0');
  await mkdir(folder, { recursive: true });
  await client.workflow.start<typeof JobWorkflow>('JobWorkflow', {
    workflowId: jobWorkflowId(experimentId, 1, 0),
    taskQueue: queues.experiments,
    args: [
      {
        experimentId,
        attempt: 1,
        seed: 0,
        job,
        command: `sh ${folder}/start.sh`,
        pollSeconds,
        unknownDeadlineMinutes: 30,
      },
    ],
  });
}

function seconds(since: number): string {
  return ((Date.now() - since) / 1000).toFixed(0);
}
