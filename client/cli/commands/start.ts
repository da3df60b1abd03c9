import type { Command } from 'commander';

import { actor, pathFrom, withExperiments, withJson, type CliContext, type DataOptions } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { exitCodeOfEnd, followExperiment } from '../follow-experiment.ts';
import { readPullRequest, readSource, type SourceOptions } from '../read-source.ts';
import type { StartAnswer } from '../../seen-experiment.ts';

interface StartOptions extends DataOptions, SourceOptions {
  readonly watch?: boolean;
  readonly by?: string;
}

/** `start`: from a task note, a pull request or an idea; the same id again attaches to what is running. */
export function addStart(program: Command, context: CliContext): void {
  withJson(program.command('start [task-note]'))
    .description(
      'starts an experiment from a task note (QWEN_TASK.md), a pull request or an idea; again: attaches',
    )
    .option('--pr <owner/name#n>', "instead of a task note: a person's pull request that has one")
    .option('--idea <text>', 'instead of a task note: Gemini CLI writes one from it')
    .option('--repo <owner/name>', 'with --idea: the repository of the experiment')
    .option('--base <branch>', 'with --idea: the branch to change (default: main)')
    .option('--id <id>', "with --idea: the experiment's id (default: from the idea's words)")
    .option('--watch', 'follow it until it has ended')
    .option('--by <name>', 'who starts it, for the record')
    .action(async (note: string | undefined, options: StartOptions) => {
      await withExperiments(context, options, async ({ experiments, output, config }) => {
        const path = note === undefined ? undefined : pathFrom(context, note);
        const by = actor(options.by, context.env);
        const { policy } = config;
        const asked = readPullRequest(path, options);
        const started =
          asked === null
            ? await experiments.start({ ...(await readSource(path, options)), by, policy })
            : await experiments.startFromPullRequest({ ...asked, by, policy });
        const { id } = started;
        if (options.watch !== true) {
          output.answer(started, [...startedLines(started), `Follow it: ${context.program} watch ${id}`]);
          return exitCodes.done;
        }
        for (const line of startedLines(started)) output.say(line);
        const seen = await followExperiment({ experiments, output, id, signal: context.signal });
        output.answer({ ...started, experiment: seen }, []);
        return exitCodeOfEnd(seen);
      });
    });
}

function startedLines({ status, id, url }: StartAnswer): string[] {
  const what = status === 'started' ? 'Started' : 'Attached to the running experiment';
  return [`${what}: ${id}`, `Temporal: ${url}`];
}
