import { join } from 'node:path';

import { Command } from 'commander';

import { processEnvironment } from '../../env.ts';
import { runDemo } from './run-demo.ts';
import { runVaultDemo } from './vault-demo.ts';

const root = join(import.meta.dirname, '..', '..', '..');

const command = new Command('demo')
  .description('The whole way of an experiment on this machine: no account, no GPU')
  .option('--keep', 'leave everything up afterwards, for looking around; Ctrl-C ends it')
  .option('--by-hand', 'you are the PI: decide by comments on the page of the pull request')
  .option('--directory <folder>', 'where everything is kept', join(root, '.hephaestus'))
  .option('--vault <count>', 'only the notes: a vault as so many experiments leave it', Number)
  .option('--record <folder>', 'save the workflow histories there, for the replay tests')
  .parse();

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort());

// `npm run demo | head`: nobody reads any more, which must not leave processes behind.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    interrupted.abort();
  });
}

try {
  const options = command.opts<{
    keep?: boolean;
    byHand?: boolean;
    directory: string;
    record?: string;
    vault?: number;
  }>();
  const common = { ...options, toolsRoot: join(root, '.tools'), environment: processEnvironment() };
  if (options.vault === undefined) await runDemo({ ...common, interrupted: interrupted.signal });
  else await runVaultDemo({ ...common, count: options.vault });
} catch (error) {
  if (interrupted.signal.aborted) process.exitCode = 130;
  else {
    console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
