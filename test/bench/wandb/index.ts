/**
 * The figures of the way to W&B: `npm run bench:wandb [-- --full] [--only throughput|large|gigabyte|sweep|live|chaos]`. Both sides run
 * in one process against the same stand-in of the server. Exits with 1 where an aim is missed.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { processEnvironment } from '../../../infra/env.ts';
import { ensureTools } from '../../../infra/tools/ensure-tools.ts';
import { runSections } from '../run-sections.ts';
import type { BenchWorld } from './bench-world.ts';
import { benchChaos } from './chaos.ts';
import { benchGigabyte } from './gigabyte.ts';
import { benchLargeRun } from './large-run.ts';
import { benchLive } from './live.ts';
import { benchSweep } from './sweep.ts';
import { benchThroughput } from './throughput.ts';

const { values } = parseArgs({
  options: { full: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } },
});
const tools = await ensureTools({
  root: join(import.meta.dirname, '..', '..', '..', '.tools'),
  which: ['wandb'],
  environment: processEnvironment(),
});
const world: BenchWorld = { wandb: tools.wandb, full: values.full, say: (line) => console.log(line) };
await runSections(
  {
    throughput: () => benchThroughput(world),
    large: () => benchLargeRun(world),
    gigabyte: () => benchGigabyte(world),
    sweep: () => benchSweep(world),
    live: () => benchLive(world),
    chaos: () => benchChaos(world),
  },
  values.only,
);
