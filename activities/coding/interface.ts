import type { Finding } from '../../domain/decide-gate.ts';
import type { TaskNote } from '../../domain/task-note.ts';

export interface PrepareSourceInput {
  readonly experimentId: string;
  readonly repository: string;
  readonly base: string;
}

export interface PreparedSource {
  readonly baseSha: string;
  /** First attempt number that no earlier life of this experiment has used on the shared disk. */
  readonly nextAttempt: number;
}

export interface ImplementInput {
  readonly experimentId: string;
  readonly note: TaskNote;
  readonly body: string;
  /** 0 for the first implementation, then one more for each repair or revision; a repeat of a round that is already committed returns that commit. */
  readonly round: number;
  readonly findings: readonly Finding[];
  /** The PI's words on `revise`. */
  readonly instructions: string | null;
  /** Puts the change on top of the base branch as it is now; conflicts go to the agent. */
  readonly ontoBase?: boolean;
}

/** What a change is made of, from the base to its head; it was searched for secrets, links and foreign repositories. */
export interface ChangeInspection {
  readonly paths: readonly string[];
  readonly addedLines: number;
  readonly largest: { readonly path: string; readonly bytes: number } | null;
  readonly maxFileBytes: number;
  /** git's id of the task note's file; null when the change does not touch it. */
  readonly taskNoteBlob: string | null;
}

export interface Implementation {
  readonly headSha: string;
  readonly summary: string;
  /** Of this round. */
  readonly changedPaths: readonly string[];
  readonly tokens: number;
  /** Of all rounds together. */
  readonly inspection?: ChangeInspection;
}

/** A person's change, on a branch of the same repository. */
export interface AdoptInput {
  readonly experimentId: string;
  readonly note: TaskNote;
  readonly body: string;
  readonly branch: string;
}

export interface PushInput {
  readonly experimentId: string;
  readonly repository: string;
  readonly headSha: string;
}

/** Queue `networked`: git and Qwen Code on the shared disk. */
export interface CodingActivities {
  /** A git worktree at `<shared>/experiments/<id>/source` on branch `hephaestus/<id>`, made from the base branch. */
  prepareSource(input: PrepareSourceInput): Promise<PreparedSource>;
  /** Qwen Code edits, the worker checks the diff and commits. */
  implementChange(input: ImplementInput): Promise<Implementation>;
  /** Takes the newest commit of a person's branch as the change, by the same rules. */
  adoptChange(input: AdoptInput): Promise<Implementation>;
  pushBranch(input: PushInput): Promise<void>;
}
