import type { Command } from 'commander';

import { withExperiments, withJson, type CliContext, type DataOptions } from '../context.ts';
import { exitCodeOfEnd, followExperiment } from '../follow-experiment.ts';

/** `watch <id>`: every change until the end; exit code 1 when that is a bad one. */
export function addWatch(program: Command, context: CliContext): void {
  withJson(program.command('watch <id>'))
    .description('follows one experiment until it has ended; exit code 1 when it failed')
    .action(async (id: string, options: DataOptions) => {
      await withExperiments(context, options, async ({ experiments, output }) => {
        const seen = await followExperiment({ experiments, output, id, signal: context.signal });
        output.answer(seen, []);
        return exitCodeOfEnd(seen);
      });
    });
}
