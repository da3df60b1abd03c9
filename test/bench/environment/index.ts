/**
 * The figures of frozen environments: `npm run bench:environment`. Everything is measured side by side in one run, so
 * that a slow machine changes both sides; ends with exit code 1 where a figure is missed.
 */
import { join } from 'node:path';

import { processEnvironment } from '../../../infra/env.ts';
import { ensureTools } from '../../../infra/tools/ensure-tools.ts';
import { SmallWorld } from '../../integration/environment/small-project.ts';
import { tellFigures, type Figure } from '../figure.ts';
import { measureBuild } from './measure-build.ts';
import { measureFaults } from './measure-faults.ts';
import { measureReuse } from './measure-reuse.ts';
import { measureScan } from './measure-scan.ts';

const root = join(import.meta.dirname, '..', '..', '..', '.tools');
const tools = await ensureTools({ root, which: ['uv', 'python'], environment: processEnvironment() });
const figures: Figure[] = [];
for (const measure of [measureReuse, measureBuild, measureScan]) {
  const world = await SmallWorld.create(tools);
  try {
    figures.push(...(await measure(world)));
  } finally {
    await world.remove();
  }
}
figures.push(...(await measureFaults()));
if (!tellFigures(figures)) process.exitCode = 1;
