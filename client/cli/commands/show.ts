import type { Command } from 'commander';

import { withExperiments, withJson, type CliContext, type DataOptions } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { presentExperiment } from '../present-experiment.ts';

/** `show <id>`: where it is, what it waits for, what it found and what a person can do now. */
export function addShow(program: Command, context: CliContext): void {
  withJson(program.command('show <id>'))
    .description('one experiment: phase, what it waits for, jobs, result, cost, what you can do now')
    .action(async (id: string, options: DataOptions) => {
      await withExperiments(context, options, async ({ experiments, output }) => {
        const seen = await experiments.see(id);
        const troubles = seen.execution === 'running' ? await experiments.troubles(id) : [];
        const presentation = { colours: output.colours, program: context.program, now: Date.now() };
        output.answer({ ...seen, troubles }, presentExperiment(seen, troubles, presentation));
        return exitCodes.done;
      });
    });
}
