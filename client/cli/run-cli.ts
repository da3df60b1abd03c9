import { CommanderError } from 'commander';

import type { CliContext } from './context.ts';
import { createProgram } from './create-program.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';

/** Runs one command line (without the program's own name) and returns its exit code; never throws, never exits. */
export async function runCli(args: readonly string[], world: Omit<CliContext, 'exit'>): Promise<ExitCode> {
  const context: CliContext = { ...world, exit: { code: exitCodes.done } };
  try {
    await createProgram(context).parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Asked-for help ends with 0 there, everything else is wrong usage.
    return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  }
  return context.exit.code;
}
