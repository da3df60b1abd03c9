import type { ModelUsage } from '../../domain/model-usage.ts';
import type { TaskNoteProblem, TaskNoteText } from '../../domain/task-note-text.ts';
import type { TaskNote } from '../../domain/task-note.ts';
import type { RepositoryDescription } from '../github/interface.ts';
import type { BaselineFacts } from '../wandb/interface.ts';

export interface PlanInput {
  readonly experimentId: string;
  readonly idea: string;
  readonly repository: string;
  readonly base: string;
  readonly description: RepositoryDescription;
  /** A note that is to be made better instead of written anew; null to begin. */
  readonly previous?: PreviousPlan | null;
}

export interface PreviousPlan extends TaskNoteText {
  /** The PI's words on it; null where there are none. */
  readonly words: string | null;
  readonly problems: readonly TaskNoteProblem[];
}

export interface Plan {
  readonly note: TaskNote;
  readonly body: string;
  readonly tokens: number;
  readonly usage?: readonly ModelUsage[];
}

export interface CheckPlanInput extends TaskNoteText {
  readonly description: RepositoryDescription;
  /** What W&B holds of the note's baseline; null when it has none or W&B could not be asked. */
  readonly baseline: BaselineFacts | null;
}

/** Queue `planning`, local zone: model key and vault, nothing else. */
export interface PlanningActivities {
  /** Gemini CLI writes the task note; its errors go back to the same session a bounded number of times. */
  planTaskNote(input: PlanInput): Promise<Plan>;
  /** What makes no sense in a note whose form is right, wherever it comes from; [] when all is well. */
  checkPlan(input: CheckPlanInput): Promise<readonly TaskNoteProblem[]>;
}
