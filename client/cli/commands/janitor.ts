import type { Command } from 'commander';

import type { JanitorFinding, JanitorReport } from '../../../domain/orphan.ts';
import { summariseVisit } from '../../../domain/summarise-visit.ts';
import { withExperiments, withJson, type CliContext, type DataOptions } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { clean, table } from '../format.ts';
import { describeTrouble } from '../present-experiment.ts';

interface JanitorOptions extends DataOptions {
  readonly dryRun?: boolean;
}

/** `janitor`: one visit of the janitor now. */
export function addJanitor(program: Command, context: CliContext): void {
  withJson(program.command('janitor'))
    .description('stops jobs that no experiment owns any more, and tells what only a person can decide')
    .option('--dry-run', 'only tell what would be done')
    .action(async (options: JanitorOptions) => {
      await withExperiments(context, options, async ({ experiments, output, config }) => {
        const told = new Set<string>();
        const { graceMinutes } = config.janitor;
        const report = await experiments.runJanitor(
          { dryRun: options.dryRun === true, graceMinutes },
          {
            signal: context.signal,
            onProgress(words, troubles) {
              for (const trouble of troubles) {
                const key = `${trouble.activity} ${trouble.message}`;
                if (!told.has(key)) output.warn(describeTrouble(trouble, Date.now()));
                told.add(key);
              }
              output.progress(output.colours.dim(clean(words).slice(0, 100)));
            },
          },
        );
        output.answer(report, linesOf(report, context.program));
        return report.undecided === 0 ? exitCodes.done : exitCodes.endedBadly;
      });
    });
}

function linesOf(report: JanitorReport, program: string): string[] {
  const { findings, omitted, dryRun, stopped } = report;
  const rows = findings.map((finding) => [
    finding.attempt,
    clean(finding.jobId ?? '-'),
    clean(finding.platform),
    wordOf(finding, dryRun),
    clean(finding.why),
  ]);
  const undecided = findings.filter(({ todo }) => todo !== '');
  const todos = undecided.map(({ attempt, jobId, todo }) => `${attempt} ${jobId ?? ''}: ${clean(todo)}`);
  return [
    ...(rows.length === 0 ? [] : [...table([['attempt', 'job', 'platform', 'what', 'why'], ...rows]), '']),
    ...(omitted === 0 ? [] : [`${omitted} more are not shown.`, '']),
    ...(todos.length === 0 ? [] : ['What you can do:', ...todos.map((line) => `  ${line}`), '']),
    summariseVisit(report),
    ...(dryRun && stopped > 0 ? [`Do it: ${program} janitor`] : []),
  ];
}

const pastWords = { leave: 'left', stop: 'stopped', revoke: 'taken back', report: 'undecided' } as const;
const futureWords = {
  leave: 'leave',
  stop: 'would stop',
  revoke: 'would take back',
  report: 'undecided',
} as const;

function wordOf({ action, done }: JanitorFinding, dryRun: boolean): string {
  if (dryRun) return futureWords[action];
  return done || action === 'leave' || action === 'report' ? pastWords[action] : `not ${pastWords[action]}`;
}
