import { posix } from 'node:path';

import type { TaskNoteProblem, TaskNoteText } from '../../domain/task-note-text.ts';
import type { TaskNote } from '../../domain/task-note.ts';
import type { RepositoryDescription } from '../github/interface.ts';
import type { CataloguedNote } from '../notes/catalogued-note.ts';
import type { BaselineFacts } from '../wandb/interface.ts';
import type { Resources } from './resources.ts';

/** What a note is held against, beyond its schema. */
export interface PlanFacts {
  readonly description: RepositoryDescription;
  /** What W&B holds of the baseline; null where it was not asked. */
  readonly baseline: BaselineFacts | null;
  /** The baseline's own note in the vault; null where there is none. */
  readonly baselineNote: CataloguedNote | null;
  readonly resources: Resources | null;
}

/** Everything in a note of right form that cannot work here: files, command, metric, budget, resources. */
export function senseProblems({ note, body }: TaskNoteText, facts: PlanFacts): TaskNoteProblem[] {
  return [
    ...fileProblems(note, facts.description.files),
    ...commandProblems(note, facts.description.files),
    ...metricProblems(note, facts),
    ...budgetProblems(note, facts.baselineNote),
    ...(facts.resources === null ? [] : resourceProblems(note, facts.resources)),
    ...bodyProblems(body),
  ];
}

/** The list of a large repository is cut: then a file that is not in it may be there all the same. */
const mostFiles = 500;

function isComplete(files: readonly string[]): boolean {
  return files.length > 0 && files.length < mostFiles;
}

function fileProblems({ environment, change }: TaskNote, files: readonly string[]): TaskNoteProblem[] {
  if (!isComplete(files)) return [];
  const locked = environment.lock ?? environment.requirements ?? '';
  const field = environment.lock === undefined ? 'environment.requirements' : 'environment.lock';
  const missing = !files.includes(locked) && !isAllowed(locked, change.paths);
  const touched = change.paths.some((glob) => files.some((file) => isAllowed(file, [glob])));
  return [
    ...(missing ? [problem(field, locked, `a file of the repository (it has ${some(files)})`)] : []),
    ...(touched
      ? []
      : [
          problem(
            'change.paths',
            change.paths.join(', '),
            `at least one that fits a file that exists (${some(files)})`,
          ),
        ]),
  ];
}

/** Words of a command that name a file of the repository. */
const fileWord = /^(?:\.\/)?[\w][\w./-]*\.(?:py|sh|bash|json|ya?ml|toml|cfg|ini|conf)$/;

function commandProblems({ job, change }: TaskNote, files: readonly string[]): TaskNoteProblem[] {
  if (!isComplete(files)) return [];
  const named = job.command.split(/[\s=;&|'"()<>]+/).filter((word) => fileWord.test(word));
  const missing = named
    .map((word) => posix.normalize(word))
    .filter((path) => !files.includes(path) && !isAllowed(path, change.paths));
  return missing.map((path) =>
    problem(
      'job.command',
      path,
      `a file of the repository, or one that the change may make (${some(files)})`,
    ),
  );
}

function metricProblems(
  { metric, baseline }: TaskNote,
  { baseline: logged, baselineNote }: PlanFacts,
): TaskNoteProblem[] {
  if (baseline === null) return [];
  const names =
    logged?.metrics ?? (baselineNote === null || baselineNote.metric === '' ? [] : [baselineNote.metric]);
  if (names.length === 0 || names.includes(metric.name)) return [];
  return [problem('metric.name', metric.name, `a metric that the baseline logged: ${some(names)}`)];
}

/** Held against what the baseline really took; how long a job may take at most says little of how long it will. */
function budgetProblems({ seeds, budget }: TaskNote, baseline: CataloguedNote | null): TaskNoteProblem[] {
  const perSeed =
    baseline === null || baseline.gpuHours === null || baseline.seeds.length === 0
      ? null
      : baseline.gpuHours / baseline.seeds.length;
  if (perSeed === null || perSeed * seeds.length <= budget.gpu_hours) return [];
  const needed = Number((perSeed * seeds.length).toPrecision(3));
  const expected = `at least ${needed}: the baseline took ${Number(perSeed.toPrecision(3))} GPU hours for each seed, ${seeds.length} seeds are asked for`;
  return [problem('budget.gpu_hours', String(budget.gpu_hours), expected)];
}

function resourceProblems({ job, budget, seeds }: TaskNote, { groups }: Resources): TaskNoteProblem[] {
  const group = groups.find((each) => each.logic_compute_group_id === job.logic_compute_group_id);
  if (group === undefined) {
    const known = groups.map((each) => `${each.logic_compute_group_id} (${each.name})`);
    return [problem('job.logic_compute_group_id', job.logic_compute_group_id, `one of ${some(known)}`)];
  }
  const spec = group.specs.find(({ spec_id }) => spec_id === job.spec_id);
  const specs = group.specs.map(({ spec_id, name, gpus }) => `${spec_id} (${name ?? `${gpus} GPUs`})`);
  const leastHours = 1 / 60;
  const least = (spec?.gpus ?? 0) * job.instance_count * seeds.length * leastHours;
  return [
    ...(['workspace_id', 'project_id'] as const)
      .filter((field) => job[field] !== group[field])
      .map((field) =>
        problem(`job.${field}`, job[field], `${group[field]}, that of the group ${group.name}`),
      ),
    ...(spec === undefined
      ? [problem('job.spec_id', job.spec_id, `one of ${some(specs)} in the group ${group.name}`)]
      : []),
    ...(group.images.length > 0 && !group.images.includes(job.image)
      ? [problem('job.image', job.image, `one of ${some(group.images)}`)]
      : []),
    ...(budget.gpu_hours < least
      ? [
          problem(
            'budget.gpu_hours',
            String(budget.gpu_hours),
            `more: it is gone before each job has run for a minute`,
          ),
        ]
      : []),
  ];
}

function bodyProblems(body: string): TaskNoteProblem[] {
  const problems: TaskNoteProblem[] = [];
  if (
    /^\s*---[ \t]*\r?\n[\s\S]*?^\s*(?:schema|id|repository|job)\s*:[\s\S]*?\r?\n---[ \t]*(?:\r?\n|$)/m.test(
      body,
    )
  ) {
    problems.push(problem('', 'a second front matter', 'one front matter, then Markdown'));
  }
  if (body.length > longestBody) {
    problems.push(problem('', `${body.length} characters of Markdown`, `at most ${longestBody}`));
  }
  return problems;
}

/** The coding agent reads it whole, and GitHub takes no longer description. */
const longestBody = 40_000;

function isAllowed(path: string, globs: readonly string[]): boolean {
  return globs.some((glob) => glob === path || posix.matchesGlob(path, glob));
}

function problem(path: string, value: string, expected: string): TaskNoteProblem {
  return { path, value: JSON.stringify(value.slice(0, 200)), expected };
}

function some(items: readonly string[]): string {
  const shown = items.slice(0, 12).join(', ');
  return items.length > 12 ? `${shown} and ${items.length - 12} more` : shown;
}
