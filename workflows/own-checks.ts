import type { OwnCheck } from '../domain/decide-gate.ts';
import type { CommandRehearsal, RehearsalCode } from '../activities/environment/interface.ts';
import { attemptsLeftOf, gpuHoursLeftOf, type Experiment } from './experiment-state.ts';
import { noteOf, pullRequestOf } from './plan-and-code.ts';
import { taskNotePathOf } from './task-note-path-of.ts';

/** What Hephaestus itself knows of the change, as lines of the gate. */
export function ownChecks(experiment: Experiment): OwnCheck[] {
  const { rehearsal } = experiment;
  return [
    environmentCheck(experiment),
    ...(rehearsal === null
      ? []
      : [commandCheck(rehearsal, inComment(experiment)), offlineCheck(rehearsal, inComment(experiment))]),
    budgetCheck(experiment),
    pathsCheck(experiment),
    ...inspectionChecks(experiment),
  ];
}

/** The evidence of what happens outside GitHub is folded in the comment. */
function inComment({ commentUrl }: Experiment): string | null {
  return commentUrl;
}

function filesOf(experiment: Experiment): string {
  return `${pullRequestOf(experiment).url}/files`;
}

function environmentCheck(experiment: Experiment): OwnCheck {
  const { environment } = experiment;
  const proven = `${environment?.digest.slice(0, 12) ?? 'none'} is proven portable (${environment?.packages ?? 0} packages)`;
  return {
    name: 'environment',
    passed: environment !== null,
    detail: `${proven}, by environments/${environment?.digest ?? ''}/environment.json on the shared disk${withMissing(environment?.missingGuarantees ?? [])}`,
    mendable: false,
    url: inComment(experiment),
  };
}

/** How the run of W&B came out has a line of its own. */
const aboutRun: ReadonlySet<RehearsalCode | null> = new Set([
  'run-missing',
  'run-renamed',
  'run-online',
  'connection-attempted',
] as const);

function commandCheck(
  { status, code, sentence, missingGuarantees, outputTail }: CommandRehearsal,
  url: string | null,
): OwnCheck {
  const passed = status !== 'failed' || aboutRun.has(code);
  const tail = passed ? '' : `\nThe end of its output:\n${outputTail.slice(-1500)}`;
  return {
    name: 'command',
    passed,
    detail: `${aboutRun.has(code) ? 'it runs in the environment, entered by its activate script' : sentence}${withMissing(missingGuarantees)}${tail}`,
    // What the start script refuses is not in the code of the experiment.
    mendable: code === 'command-failed',
    url,
  };
}

/** Seen in the rehearsal, not searched for in the text of the script. */
function offlineCheck(
  { status, code, sentence, sawRun, connections }: CommandRehearsal,
  url: string | null,
): OwnCheck {
  const passed = status !== 'failed' || !aboutRun.has(code);
  const seen = sawRun
    ? `an offline run with the chosen id appeared, and ${connections.length === 0 ? 'no' : connections.length} connection was attempted`
    : 'it could not be seen in the rehearsal; the start script sets WANDB_MODE=offline and the run id';
  return { name: 'W&B offline', passed, detail: passed ? seen : sentence, mendable: true, url };
}

function pathsCheck(experiment: Experiment): OwnCheck {
  const { implementation } = experiment;
  const note = taskNotePathOf(experiment);
  const changed = implementation?.changedPaths.filter((path) => path !== note) ?? [];
  return {
    name: 'changed paths',
    passed: implementation !== null,
    detail: `${changed.join(', ')}, all inside ${noteOf(experiment).change.paths.join(', ')}; besides them the task note ${note}`,
    mendable: false,
    url: filesOf(experiment),
  };
}

/** What was found in the whole change; it would not have been pushed otherwise. */
function inspectionChecks(experiment: Experiment): OwnCheck[] {
  const inspection = experiment.implementation?.inspection;
  if (inspection === undefined) return [];
  const { paths, addedLines, largest, maxFileBytes } = inspection;
  const line = { passed: true, mendable: false, url: filesOf(experiment) };
  const size = largest === null ? 'no file' : `the largest is ${largest.path} with ${largest.bytes} bytes`;
  return [
    {
      ...line,
      name: 'no secret',
      detail: `${addedLines} added lines in ${paths.length} files were searched with the rules of secretlint and for the worker's own credentials: nothing`,
    },
    { ...line, name: 'file sizes', detail: `${size}; at most ${maxFileBytes} are allowed` },
  ];
}

function budgetCheck(experiment: Experiment): OwnCheck {
  const { job, seeds, budget } = noteOf(experiment);
  const attempts = attemptsLeftOf(experiment);
  const hours = gpuHoursLeftOf(experiment);
  const asked = `${seeds.length} × ${job.instance_count} node${job.instance_count === 1 ? '' : 's'} for at most ${job.max_hours} h each`;
  return {
    name: 'budget',
    passed: attempts > 0 && hours > 0,
    detail: `asked: ${asked}; left: ${Number(hours.toFixed(2))} of ${budget.gpu_hours} GPU hours, at whose end the jobs are stopped, and ${attempts} of ${budget.attempts} attempts`,
    mendable: false,
    url: pullRequestOf(experiment).url,
  };
}

function withMissing(missing: readonly string[]): string {
  return missing.length === 0 ? '' : `; not proven on this machine: ${missing.join(' ')}`;
}
