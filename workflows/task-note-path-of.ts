import { taskNoteFile, taskNotePath } from '../domain/ids.ts';
import type { Experiment } from './experiment-state.ts';

/** Where the task note lies in the change: a person's pull request has it at the root. */
export function taskNotePathOf({ input }: Pick<Experiment, 'input'>): string {
  return input.source.kind === 'pull-request' ? taskNoteFile : taskNotePath(input.id);
}
