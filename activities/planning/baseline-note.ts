import type { TaskNote } from '../../domain/task-note.ts';
import type { CataloguedNote } from '../notes/catalogued-note.ts';

/** The newest note of the vault about the experiment that a task note is compared with; null where there is none. */
export function baselineNoteOf(
  { baseline }: TaskNote,
  notes: readonly CataloguedNote[],
): CataloguedNote | null {
  if (baseline === null || !('experiment' in baseline)) return null;
  const found = notes.filter((note) => note.isExperiment && note.id === baseline.experiment);
  return found.toSorted((a, b) => (a.path < b.path ? -1 : 1)).at(-1) ?? null;
}
