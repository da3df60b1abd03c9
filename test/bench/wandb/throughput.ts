import { join } from 'node:path';

import { type BenchWorld, judge, openPlace, seconds } from './bench-world.ts';
import { copyRun, recordRun } from './make-runs.ts';

/** Clients at one time. */
const parallel = 4;
const rows = 1000;

/** Many finished runs: the agent against one `wandb sync` after the other, at the same server. */
export async function benchThroughput(world: BenchWorld): Promise<boolean> {
  const { say, full } = world;
  const ours = full ? 1000 : 160;
  const theirs = full ? 100 : 12;
  const place = await openPlace(world);
  try {
    const recorded = await recordRun(world.wandb, join(place.root, 'recorded'), 'r0000', rows);
    const bare: string[] = [];
    for (let index = 1; index <= theirs; index += 1) {
      bare.push(await copyRun(recorded, 'r0000', name(index), join(place.root, 'bare')));
    }
    const runs = join(place.root, 'runs');
    for (let index = 1; index <= ours; index += 1) await copyRun(recorded, 'r0000', name(index), runs);
    const bareSeconds = await seconds(async () => {
      for (const folder of bare) await place.bareSync(folder, 'bare');
    });
    const { statuses, seconds: ourSeconds, megabytes } = await place.agent(runs, parallel);
    const acknowledged = statuses.filter((status) => status === 'acknowledged').length;
    let wrong = 0;
    for (let index = 1; index <= ours; index += 1) {
      const run = await place.client.run({ entity: 'lab', project: 'bench', runId: name(index) });
      if (run?.rows !== rows || run.lastStep !== rows - 1 || run.state !== 'finished') wrong += 1;
    }
    const [bareRate, ourRate] = [theirs / bareSeconds, ours / ourSeconds];
    say(
      `wandb sync one after the other: ${theirs} runs in ${bareSeconds.toFixed(1)} s (${bareRate.toFixed(2)} a second)`,
    );
    say(
      `the agent: ${ours} runs in ${ourSeconds.toFixed(1)} s (${ourRate.toFixed(2)} a second), ${acknowledged} acknowledged`,
    );
    const ratio = judge(say, { what: 'throughput', value: ourRate / bareRate, unit: 'times', least: 5 });
    const whole = judge(say, {
      what: 'runs that are not whole',
      value: wrong + ours - acknowledged,
      unit: '',
      most: 0,
    });
    const memory = judge(say, {
      what: "memory of the agent's process",
      value: megabytes,
      unit: 'MB',
      most: 400,
    });
    return ratio && whole && memory;
  } finally {
    await place.close();
  }
}

function name(index: number): string {
  return `r${String(index).padStart(4, '0')}`;
}
