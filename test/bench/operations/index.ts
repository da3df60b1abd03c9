/**
 * What running Hephaestus costs:
 * `npm run bench:operations [-- --kills 50] [--crowd 500] [--only starts|kills|crowd|crowd-on-postgres]`. The time that `up`
 * takes, the memory of its processes at rest, how soon everything goes on after kill -9 of the worker, of Temporal and of `up`
 * itself, and what many experiments at once take against a tenth of them. Ends with exit code 1 where a figure is missed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { processEnvironment } from '../../../infra/env.ts';
import { ensureTools } from '../../../infra/tools/ensure-tools.ts';
import { openUpWorld, type UpWorld } from '../../support/up-world.ts';
import { tellFigures, type Figure } from '../figure.ts';
import { runSections, wholeNumber } from '../run-sections.ts';
import { measureCrowd, measureCrowdOnPostgres } from './measure-crowd.ts';
import { measureKills } from './measure-kills.ts';
import { measureStarts } from './measure-starts.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    crowd: { type: 'string', default: '500' },
    only: { type: 'string', multiple: true },
  },
});
const root = join(import.meta.dirname, '..', '..', '..', '.tools');
const tools = await ensureTools({ root, environment: processEnvironment(), log: console.error });

const crowd = wholeNumber('crowd', values.crowd);
await runSections(
  {
    starts: () => inUpWorld((world) => measureStarts(world)),
    kills: () =>
      inUpWorld((world, directory) => measureKills(world, directory, wholeNumber('kills', values.kills))),
    crowd: () => inFolder((directory) => measureCrowd(tools, directory, crowd)),
    'crowd-on-postgres': () => inFolder(() => measureCrowdOnPostgres(tools, crowd)),
  },
  values.only,
);

async function inUpWorld(
  measure: (world: UpWorld, directory: string) => Promise<Figure[]>,
): Promise<boolean> {
  return inFolder(async (directory) => {
    const world = await openUpWorld(directory, tools);
    try {
      return await measure(world, directory);
    } finally {
      await world.close();
    }
  });
}

function load(): string {
  return `${loadavg()[0]?.toFixed(1) ?? ''} processes waiting for a processor`;
}

async function inFolder(measure: (directory: string) => Promise<Figure[]>): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), 'hephaestus-operations-'));
  console.log(`at the start: ${load()}`);
  try {
    return tellFigures(await measure(directory));
  } finally {
    console.log(`at the end: ${load()}`);
    await rm(directory, { recursive: true, force: true });
  }
}
