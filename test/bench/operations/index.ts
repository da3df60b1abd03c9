/**
 * What running Hephaestus on one machine costs: `npm run bench:operations [-- <kills>]`. The time that `up` takes, the
 * memory of its processes at rest, and how soon everything goes on after kill -9 of the worker, of Temporal and of `up`
 * itself. Ends with exit code 1 where a figure is missed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';

import { processEnvironment } from '../../../infra/env.ts';
import { ensureTools } from '../../../infra/tools/ensure-tools.ts';
import { openUpWorld } from '../../support/up-world.ts';
import type { Figure } from '../environment/figure.ts';
import { measureKills } from './measure-kills.ts';
import { measureStarts } from './measure-starts.ts';

const kills = Number(process.argv[2] ?? 50);
if (!Number.isInteger(kills) || kills < 1)
  throw new RangeError(`expected a number of kills, got ${process.argv[2] ?? ''}`);

const root = join(import.meta.dirname, '..', '..', '..', '.tools');
const tools = await ensureTools({ root, environment: processEnvironment(), log: console.error });
const directory = await mkdtemp(join(tmpdir(), 'hephaestus-operations-'));
const world = await openUpWorld(directory, tools);
const load = (): string => `${loadavg()[0]?.toFixed(1) ?? ''} processes waiting for a processor`;
const figures: Figure[] = [];
console.log(`at the start: ${load()}`);
try {
  figures.push(...(await measureStarts(world)));
  console.log(`after the starts: ${load()}`);
  figures.push(...(await measureKills(world, directory, kills)));
} finally {
  await world.close();
  await rm(directory, { recursive: true, force: true });
}
console.log(`at the end: ${load()}`);
for (const { what, value, target, met } of figures) {
  console.log(`${met ? 'met   ' : 'MISSED'}  ${what}: ${value} (target: ${target})`);
}
if (figures.some(({ met }) => !met)) process.exitCode = 1;
