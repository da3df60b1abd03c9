import type { CurveLine } from './curve-line.ts';
import type { ExperimentStatus } from './experiment.ts';
import type { TaskNote } from './task-note.ts';

/** Answer of the `material` query: what a person or an agent needs to discuss an experiment. */
export interface Material {
  readonly status: ExperimentStatus;
  readonly note: TaskNote | null;
  /** The Markdown of the task note. */
  readonly body: string;
  readonly curves: readonly CurveLine[];
  readonly pictures: readonly string[];
  /** The whole change against the base; '' before there is one. */
  readonly diff: string;
}
