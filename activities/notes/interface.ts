import type { ModelUsage } from '../../domain/model-usage.ts';
import type { NoteFacts } from '../../domain/note.ts';

export interface WrittenNote {
  /** Relative to the vault. */
  readonly path: string;
  /** The vault's commit; null when the vault is not a git repository. */
  readonly commit: string | null;
  readonly tokens: number;
  readonly usage?: readonly ModelUsage[];
}

/** Queue `planning`, local zone: the vault. */
export interface NotesActivities {
  /** The permanent note from recorded facts; the same facts again write the same file. */
  writeNote(facts: NoteFacts): Promise<WrittenNote>;
}
