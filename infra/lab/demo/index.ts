import { join } from 'node:path';

import { Command } from 'commander';

import { processEnvironment } from '../../env.ts';
import { runDemo } from './run-demo.ts';

const root = join(import.meta.dirname, '..', '..', '..');

const command = new Command('demo')
  .description('The whole way of an experiment on this machine: no account, no GPU')
  .option('--keep', 'leave everything up afterwards, for looking around; Ctrl-C ends it')
  .option('--directory <folder>', 'where everything is kept', join(root, '.hephaestus'))
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
  await runDemo({
    ...command.opts<{ keep?: boolean; directory: string; record?: string }>(),
    toolsRoot: join(root, '.tools'),
    environment: processEnvironment(),
    interrupted: interrupted.signal,
  });
} catch (error) {
  if (interrupted.signal.aborted) process.exitCode = 130;
  else {
    console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
