import type { ExperimentStatus } from '../domain/experiment.ts';

/** How the workflow itself stands, in plain words. */
export type Execution = 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed out';

/** An experiment as seen from outside. */
export interface SeenExperiment {
  readonly id: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly execution: Execution;
  /** Also when no worker answers: then from what Temporal itself knows. */
  readonly phase: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** Its page in the Temporal Web UI. */
  readonly url: string;
  /** The workflow's own answer; null when no worker gave one, and `unanswered` says why. */
  readonly status: ExperimentStatus | null;
  readonly unanswered: string | null;
}

/** One line of a list. */
export interface ListedExperiment {
  readonly id: string;
  readonly execution: Execution;
  readonly phase: string;
  readonly repository: string | null;
  /** `owner/name#n`. */
  readonly pullRequest: string | null;
  readonly jobIds: readonly string[];
  readonly outcome: string | null;
  readonly gpuHours: number | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

/** An activity that failed and is tried again: the reason why nothing seems to happen. */
export interface PendingTrouble {
  readonly workflowId: string;
  readonly activity: string;
  /** A type of `domain/failure.ts` where the failure has a name. */
  readonly type: string;
  readonly message: string;
  /** The number of the try that is under way or comes next. */
  readonly attempt: number;
  /** ISO 8601, UTC; null while it is being tried. */
  readonly nextTryAt: string | null;
}

export interface StartAnswer {
  /** `attached`: it was running already, and is the same one. */
  readonly status: 'started' | 'attached';
  readonly id: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly url: string;
}
