/**
 * The figures of the way to W&B: `npm run bench:wandb [-- --full] [--only throughput|large|gigabyte|sweep|live|chaos]`. Both sides run
 * in one process against the same stand-in of the server. Exits with 1 where an aim is missed.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { processEnvironment } from '../../../infra/env.ts';
import { ensureTools } from '../../../infra/tools/ensure-tools.ts';
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
const sections: Readonly<Record<string, (world: BenchWorld) => Promise<boolean>>> = {
  throughput: benchThroughput,
  large: benchLargeRun,
  gigabyte: benchGigabyte,
  sweep: benchSweep,
  live: benchLive,
  chaos: benchChaos,
};
const names = values.only ?? Object.keys(sections);
const unknown = names.filter((name) => !(name in sections));
if (unknown.length > 0) {
  throw new Error(`--only ${unknown.join(', ')}: expected one of ${Object.keys(sections).join(', ')}`);
}
const tools = await ensureTools({
  root: join(import.meta.dirname, '..', '..', '..', '.tools'),
  which: ['wandb'],
  environment: processEnvironment(),
});
const say = (line: string): void => console.log(line);
for (const name of names) {
  say(`\n== ${name} ==`);
  const met = await sections[name]?.({ wandb: tools.wandb, full: values.full, say });
  if (met !== true) process.exitCode = 1;
}
