import { isAbsolute, join, relative } from 'node:path';

import { ConfigError } from '../../infra/config/config-error.ts';
import { processEnvironment, readEnvironment, type Environment } from '../../infra/env.ts';
import { openExperiments } from '../experiments.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { runCli } from './run-cli.ts';

/** The one file that sets the exit code of the process. */
process.exitCode = await main();

async function main(): Promise<ExitCode> {
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  // `hephaestus list | head` closes the pipe early, which is no error of ours.
  // A terminal that was closed answers with EIO; whatever runs then ends by the signal that comes with it.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    });
  }
  standWhereThePersonStands();
  const env = environmentHere();
  if (env === null) return exitCodes.usage;
  const code = await runCli(process.argv.slice(2), {
    env,
    cwd: process.cwd(),
    streams: process,
    signal: interrupt.signal,
    openExperiments,
    program: env['npm_lifecycle_event'] === 'hephaestus' ? 'npm run -s hephaestus --' : 'hephaestus',
  });
  return interrupt.signal.aborted ? exitCodes.interrupted : code;
}

/** Null after telling that the file with the settings cannot be read. */
function environmentHere(): Environment | null {
  try {
    return readEnvironment(process.cwd());
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return null;
  }
}

/** `npm --prefix <checkout> run hephaestus` runs in the checkout; settings and notes belong to the folder it was typed in. */
function standWhereThePersonStands(): void {
  const { npm_lifecycle_event: script, INIT_CWD: typedIn } = processEnvironment();
  if (script !== 'hephaestus' || typedIn === undefined) return;
  const inside = relative(join(import.meta.dirname, '..', '..'), typedIn);
  if (inside.startsWith('..') || isAbsolute(inside)) process.chdir(typedIn);
}
