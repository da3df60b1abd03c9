import type { CataloguedNote } from './catalogued-note.ts';
import type { NearNote } from './near-notes.ts';

/** The other notes that a note leads to. */
export interface NoteLinks {
  /** File name without `.md` of the baseline's note; null when it has none. */
  readonly parentStem: string | null;
  readonly parent: CataloguedNote | null;
  readonly near: readonly NearNote[];
}
