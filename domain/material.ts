import type { ExperimentStatus } from './experiment.ts';
import type { TaskNote } from './task-note.ts';

/** A curve as far as words can show it. */
export interface MaterialCurve {
  readonly label: string;
  readonly first: number | null;
  /** The curve drawn with block characters. */
  readonly line: string;
  readonly last: number | null;
  readonly lastStep: number;
  readonly gaps: number;
}

/** Answer of the `material` query: what a person or an agent needs to discuss an experiment. */
export interface Material {
  readonly status: ExperimentStatus;
  readonly note: TaskNote | null;
  /** The Markdown of the task note. */
  readonly body: string;
  readonly curves: readonly MaterialCurve[];
  readonly pictures: readonly string[];
  /** The whole change against the base; '' before there is one. */
  readonly diff: string;
}
