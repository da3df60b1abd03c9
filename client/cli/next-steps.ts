import type { SeenExperiment } from '../seen-experiment.ts';
import { table } from './format.ts';

/** What a person can do now, as commands with what they are for. */
export function nextSteps(seen: SeenExperiment, program: string): string[] {
  const { id, execution, phase } = seen;
  const head = seen.status?.evidence?.headSha.slice(0, 12);
  const bound = head === undefined ? '' : ` --head ${head}`;
  if (execution !== 'running') {
    return execution === 'completed'
      ? []
      : table([[`${program} start <task-note.md>`, 'starts it again, with the same id']]);
  }
  const deciding = [
    [`${program} merge ${id}${bound}`, 'merges what is shown above'],
    [`${program} reject ${id}${bound} --reason "…"`, 'closes the pull request and writes the note'],
  ];
  return table([
    ...(phase === 'deciding' ? deciding : []),
    [`${program} watch ${id}`, 'follows it'],
    [`${program} stop ${id}`, 'stops it now, its jobs too'],
  ]);
}
