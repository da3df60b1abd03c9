import type { SeenExperiment } from '../seen-experiment.ts';
import { table } from './format.ts';

/** What a person can do now, as lines for a terminal. */
export function nextSteps(seen: SeenExperiment, program: string): string[] {
  return table(nextStepRows(seen, program));
}

/** What a person can do now: rows of a command and what it is for. */
export function nextStepRows(seen: SeenExperiment, program: string): string[][] {
  const { id, execution, phase } = seen;
  const head = seen.status?.evidence?.headSha.slice(0, 12);
  const bound = head === undefined ? '' : ` --head ${head}`;
  if (execution !== 'running') {
    return execution === 'completed'
      ? []
      : [[`${program} start <task-note.md>`, 'starts it again, with the same id']];
  }
  const deciding = [
    [`${program} merge ${id}${bound}`, 'merges what is shown above'],
    [`${program} reject ${id}${bound} --reason "…"`, 'closes the pull request and writes the note'],
    reviseRow(id, program),
    [`${program} rerun ${id}`, 'trains it again, with other seeds'],
  ];
  return [
    ...(phase === 'deciding' ? deciding : []),
    ...(phase === 'reviewing' && seen.status?.gate?.status === 'block'
      ? [[`${program} approve-quality ${id} --reason "…"`, 'lets the quality gate pass on your word']]
      : []),
    ...settling(seen, program),
    ...stalled(seen, program),
    [`${program} watch ${id}`, 'follows it'],
    [`${program} stop ${id}`, 'stops it now, its jobs too'],
  ];
}

/** The two answers to each submission that only a person can settle. */
function settling({ id, status }: SeenExperiment, program: string): string[][] {
  const asked = (status?.attempts.at(-1)?.jobs ?? []).filter(({ question }) => question !== null);
  return asked.flatMap(({ seed }) => {
    const command = `${program} settle ${id}${asked.length > 1 ? ` --seed ${seed}` : ''}`;
    return [
      [`${command} --job job-…`, `the platform shows a job of seed ${seed}: this one`],
      [`${command} --none`, `it shows none: a new attempt of seed ${seed} is made`],
    ];
  });
}

function stalled({ id, status }: SeenExperiment, program: string): string[][] {
  if (status?.stalled !== true) return [];
  return [
    [`${program} rerun ${id}`, 'tries it again, as a new attempt'],
    reviseRow(id, program),
    [`${program} reject ${id}`, 'closes the pull request and writes the note'],
  ];
}

function reviseRow(id: string, program: string): string[] {
  return [`${program} revise ${id} "…"`, 'sends the coding agent back with your words'];
}
