import { Command, CommanderError } from 'commander';

import manifest from '../../package.json' with { type: 'json' };
import { addAdopt } from './commands/adopt.ts';
import { addApproveQuality } from './commands/approve-quality.ts';
import { addDecisions } from './commands/decisions.ts';
import { addJanitor } from './commands/janitor.ts';
import { addEnvironment } from './commands/environment.ts';
import { addList } from './commands/list.ts';
import { addSettle } from './commands/settle.ts';
import { addShow } from './commands/show.ts';
import { addStart } from './commands/start.ts';
import { addSync } from './commands/sync.ts';
import { addWatch } from './commands/watch.ts';
import { addWebhook } from './commands/webhook.ts';
import { addWorker } from './commands/worker.ts';
import type { CliContext } from './context.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';

/** Runs one command line (without the program's own name) and returns its exit code; never throws, never exits. */
export async function runCli(args: readonly string[], world: Omit<CliContext, 'exit'>): Promise<ExitCode> {
  const context: CliContext = { ...world, exit: { code: exitCodes.done } };
  const program = new Command('hephaestus')
    .description('From an idea to a reviewed pull request, a job, curves, a merge and a note.')
    .version(manifest.version, '-V, --version', 'print the version')
    .configureOutput({
      writeOut: (text) => void world.streams.stdout.write(text),
      writeErr: (text) => void world.streams.stderr.write(text),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride()
    .showHelpAfterError('(add --help for what it takes)');
  for (const add of [
    addStart,
    addList,
    addShow,
    addWatch,
    addDecisions,
    addApproveQuality,
    addSettle,
    addJanitor,
    addEnvironment,
    addAdopt,
    addSync,
    addWorker,
    addWebhook,
  ]) {
    add(program, context);
  }
  // Settings are inherited by commands only at the moment they are made, so that order must not matter here.
  for (const command of program.commands) {
    command.copyInheritedSettings(program);
    for (const inner of command.commands) inner.copyInheritedSettings(command);
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Asked-for help ends with 0 there, everything else is wrong usage.
    return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  }
  return context.exit.code;
}
