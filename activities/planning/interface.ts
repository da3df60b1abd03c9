import type { TaskNote } from '../../domain/task-note.ts';
import type { RepositoryDescription } from '../github/interface.ts';

export interface PlanInput {
  readonly experimentId: string;
  readonly idea: string;
  readonly repository: string;
  readonly base: string;
  readonly description: RepositoryDescription;
}

export interface Plan {
  readonly note: TaskNote;
  readonly body: string;
  readonly tokens: number;
}

/** Queue `planning`, local zone: model key and vault, nothing else. */
export interface PlanningActivities {
  /** Gemini CLI writes the task note; its errors go back to the same session a bounded number of times. */
  planTaskNote(input: PlanInput): Promise<Plan>;
}
