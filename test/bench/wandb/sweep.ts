import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { execa } from 'execa';

import { type BenchWorld, judge } from './bench-world.ts';

/** In a process of its own, so that the memory that is measured is that of a sweep. */
const sweep = (modules: string, home: string, root: string): string => `
  const { RunIndex } = await import(${JSON.stringify(`${modules}/run-index.ts`)});
  const { findRuns } = await import(${JSON.stringify(`${modules}/find-runs.ts`)});
  const started = performance.now();
  const index = await RunIndex.open(${JSON.stringify(home)}, ${JSON.stringify(root)});
  const { runs, settled } = await findRuns(${JSON.stringify(root)}, { isSettled: (folder) => index.isSettled(folder) });
  let known = settled;
  for (const { folder, log } of runs) {
    if (await index.isUnchanged(folder, log)) known += 1;
    else await index.settle(folder, log, { status: 'acknowledged', reason: 'all rows', cure: '' });
  }
  await index.endSweep();
  const seconds = (performance.now() - started) / 1000;
  console.log(JSON.stringify({ seconds, known, megabytes: process.resourceUsage().maxRSS / 1000 }));`;

/** A tree of synced runs: what a sweep costs that finds nothing to do. */
export async function benchSweep({ say, full }: BenchWorld): Promise<boolean> {
  const count = 100_000;
  const perFolder = full ? 20 : 100;
  const root = await mkdtemp(join(tmpdir(), 'hephaestus-bench-'));
  try {
    const tree = join(root, 'tree');
    for (let start = 0; start < count; start += perFolder) {
      const wandb = join(tree, `experiment-${start}`, 'wandb');
      await Promise.all(
        Array.from({ length: perFolder }, async (_, index) => {
          const folder = join(wandb, `offline-run-20260101_000000-r${start + index}`);
          await mkdir(folder, { recursive: true });
          await writeFile(join(folder, `run-r${start + index}.wandb`), 'x');
        }),
      );
    }
    const modules = join(import.meta.dirname, '..', '..', '..', 'infra', 'wandb');
    const once = async () => {
      const script = sweep(modules, join(root, 'home'), tree);
      const { stdout } = await execa(process.execPath, ['--input-type=module', '-e', script]);
      return JSON.parse(stdout) as { seconds: number; known: number; megabytes: number };
    };
    const first = await once();
    const second = await once();
    say(`first sweep: ${first.seconds.toFixed(1)} s; the next one knew ${second.known} of ${count} runs`);
    const time = judge(say, { what: 'sweep after the first', value: second.seconds, unit: 's', most: 2 });
    const memory = judge(say, { what: 'memory of it', value: second.megabytes, unit: 'MB', most: 200 });
    return time && memory && second.known === count;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
