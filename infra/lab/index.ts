import { join } from 'node:path';

import { Command } from 'commander';

import { processEnvironment } from '../env.ts';
import { ensureTools } from '../tools/ensure-tools.ts';
import { toolEnvironment } from '../tools/tool-environment.ts';
import { findLabPython } from './demo/lab-python.ts';
import { scriptDemo } from './demo/script-demo.ts';
import { seedDigits } from './seed-digits.ts';
import { startLab } from './start-lab.ts';

const root = join(import.meta.dirname, '..', '..');

const { directory } = new Command('lab')
  .description('The stand-ins of the outside world, alone; prints the settings that point at them')
  .option('--directory <folder>', 'where they keep their state', join(root, '.hephaestus', 'lab'))
  .parse()
  .opts<{ directory: string }>();

const environment = toolEnvironment(processEnvironment());
const log = (line: string): void => console.error(line);
const { uv, wandb } = await ensureTools({
  root: join(root, '.tools'),
  which: ['uv', 'wandb'],
  environment,
  log,
});
const python = await findLabPython(environment);
const lab = await startLab({ directory, script: scriptDemo(python) });
await seedDigits(lab, { uv, wandb, python: python.path, environment });

for (const [key, value] of Object.entries(lab.settings)) console.log(`${key}=${value}`);
for (const { name, url } of [lab.github, lab.qizhi, lab.wandb, lab.models]) log(`${name.padEnd(7)} ${url}`);
log('The lines above are for a .env file. The lab runs until Ctrl-C.');

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void lab.close());
