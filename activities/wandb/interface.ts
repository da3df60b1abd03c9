import type { LiveResults, Results } from '../../domain/evidence.ts';
import type { TaskNote } from '../../domain/task-note.ts';

export interface SyncInput {
  readonly experimentId: string;
  readonly attempt: number;
  readonly seed: number;
  readonly runId: string;
  readonly wandb: TaskNote['wandb'];
}

/** A run that the server has acknowledged, as read back from it. */
export interface SyncedRun {
  readonly entity: string;
  readonly project: string;
  readonly runId: string;
  readonly url: string;
  readonly rows: number;
  readonly lastStep: number;
}

export interface ResultsInput {
  readonly runs: readonly (SyncedRun & { readonly seed: number })[];
  readonly metric: TaskNote['metric'];
  readonly baseline: TaskNote['baseline'];
}

export interface LiveResultsInput {
  /** Their ids were given to the jobs: nothing has to be acknowledged to look at them. */
  readonly runs: readonly { readonly runId: string; readonly seed: number }[];
  readonly wandb: TaskNote['wandb'];
  readonly metric: TaskNote['metric'];
  readonly baseline: TaskNote['baseline'];
  /** What was shown last; null before anything was. */
  readonly since: { readonly rows: number; readonly asOf: string } | null;
  /** The shortest time from `since` to the next answer, seconds. */
  readonly pauseSeconds: number;
}

/** Queue `wandb`, networked zone: the only part that talks to W&B. */
export interface WandbActivities {
  /** Uploads by the real `wandb sync`; returns only what a read-back from the server proves. */
  syncRun(input: SyncInput): Promise<SyncedRun>;
  /** Reads curves and final values back, of the attempt's runs and of the baseline. */
  readResults(input: ResultsInput): Promise<Results>;
  /**
   * Reads what is on the server so far, while jobs train. A run that is not there yet has no rows, and a baseline that
   * is not there is left out: both are for `readResults` to complain of. Fails benignly (`LiveUnchanged`) until there are
   * more rows than were shown last, and until the pause is over.
   */
  awaitLiveResults(input: LiveResultsInput): Promise<LiveResults>;
}
