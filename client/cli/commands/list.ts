import type { Command } from 'commander';

import type { SeenSweep } from '../../see-sweep.ts';
import type { ListedExperiment } from '../../seen-experiment.ts';
import { UsageError } from '../cli-errors.ts';
import { withExperiments, withJson, type CliContext, type DataOptions } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { clean, duration, moment, round, table } from '../format.ts';

interface ListOptions extends DataOptions {
  readonly open?: boolean;
  readonly limit: string;
}

/** `list`: the experiments that Temporal knows, the newest first. */
export function addList(program: Command, context: CliContext): void {
  withJson(program.command('list'))
    .description('the experiments, the newest first')
    .option('--open', 'only those that have not ended')
    .option('--limit <number>', 'at most so many', '50')
    .action(async (options: ListOptions) => {
      await withExperiments(context, options, async ({ experiments, output }) => {
        const listed = await experiments.list({
          open: options.open === true,
          limit: readLimit(options.limit),
        });
        const sweep = await experiments.seeSweep();
        output.answer({ experiments: listed, sweep }, [
          ...linesOf(listed, context.program),
          ...sweepLines(sweep),
        ]);
        return exitCodes.done;
      });
    });
}

function readLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit > 0) return limit;
  throw new UsageError(`--limit is "${text}": expected a whole number, 1 or larger.`);
}

function linesOf(listed: readonly ListedExperiment[], program: string): string[] {
  if (listed.length === 0) return [`No experiments yet. Start one: ${program} start <task-note.md>`];
  const rows = listed.map(({ id, phase, startedAt, endedAt, repository, pullRequest, gpuHours }) => {
    const end = endedAt === null ? Date.now() : new Date(endedAt).getTime();
    const took = duration(end - new Date(startedAt).getTime());
    const place = clean(pullRequest ?? repository ?? '-');
    return [id, phase, took, gpuHours === null ? '-' : round(gpuHours), place];
  });
  return table([['id', 'phase', 'time', 'GPU h', 'pull request'], ...rows]);
}

/** More than this nobody reads in a list; the sweep's page in the Temporal Web UI has all. */
const mostTold = 10;

/** Runs on the shared disk that only a person can help, or why they were not looked at. */
function sweepLines(sweep: SeenSweep | null): string[] {
  if (sweep === null) return [];
  if (sweep.failure !== null) {
    return ['', `W&B runs of nobody were not looked at (${moment(sweep.at)}): ${clean(sweep.failure)}`];
  }
  const quarantined = sweep.report?.quarantined ?? [];
  if (quarantined.length === 0) return [];
  const told = quarantined.slice(0, mostTold);
  return [
    '',
    `W&B runs on the shared disk that need a person (${moment(sweep.at)}):`,
    ...told.map(({ folder, reason, cure }) => `  ${clean(folder)}: ${clean(reason)}. ${clean(cure)}`),
    ...(told.length < quarantined.length ? [`  and ${quarantined.length - told.length} more`] : []),
  ];
}
