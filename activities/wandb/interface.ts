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

export interface MirrorInput extends SyncInput {
  /** Seconds between two looks for new rows. */
  readonly pollSeconds: number;
}

/** What a mirror has done when its run is over. */
export interface MirroredRun {
  readonly rows: number;
}

/** A run that no experiment brings to W&B. Paths are relative to the shared disk. */
export interface StrayRun {
  readonly runId: string;
  /** '' where the log names none. */
  readonly entity: string;
  readonly project: string;
  /** The fragments of the run, oldest first. */
  readonly logs: readonly string[];
}

export interface StraysInput {
  /** At most so many, those that were not looked at for longest first. */
  readonly limit: number;
}

export interface FoundStrays {
  readonly strays: readonly StrayRun[];
  readonly runs: number;
  /** Runs that only a person can help, by their folder, with the reason. */
  readonly quarantined: readonly {
    readonly folder: string;
    readonly reason: string;
    readonly cure: string;
  }[];
}

/** What became of a stray run. */
export interface TendedRun {
  readonly status: 'acknowledged' | 'quarantined';
  readonly reason: string;
  readonly cure: string;
  readonly rows: number;
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

export interface BaselineQuestion {
  readonly wandb: TaskNote['wandb'];
  readonly baseline: NonNullable<TaskNote['baseline']>;
}

/** What is known of a baseline before anything is trained. */
export interface BaselineFacts {
  readonly name: string;
  readonly runs: number;
  /** Names of everything that each of its runs logged. */
  readonly metrics: readonly string[];
}

/** Queue `wandb`, networked zone: the only part that talks to W&B. */
export interface WandbActivities {
  /** Uploads by the real `wandb sync`; returns only what a read-back from the server proves. */
  syncRun(input: SyncInput): Promise<SyncedRun>;
  /**
   * Sends new rows of a run while its job trains, each to the line of its index. Fails benignly (`MirrorWaiting`) with the
   * time of its next look while the run is alive, so that it holds no slot of the worker meanwhile; returns when the log
   * has its end. May be cancelled at any moment: `syncRun` sends what is missing.
   */
  mirrorRun(input: MirrorInput): Promise<MirroredRun>;
  /** Looks through the shared disk for runs that are not known to be on the server. Throws `WandbUnauthorized` before it has looked at any. */
  findStrays(input: StraysInput): Promise<FoundStrays>;
  /** Mirrors a stray run while it is alive (`MirrorWaiting`), and brings it to the server whole when it has ended. */
  tendStray(stray: StrayRun): Promise<TendedRun>;
  /** Reads curves and final values back, of the attempt's runs and of the baseline. */
  readResults(input: ResultsInput): Promise<Results>;
  /** What the baseline logged. Throws `WandbResultMissing` when it is not there. */
  describeBaseline(input: BaselineQuestion): Promise<BaselineFacts>;
  /**
   * Reads what is on the server so far, while jobs train. A run that is not there yet has no rows, and a baseline that
   * is not there is left out: both are for `readResults` to complain of. Fails benignly (`LiveUnchanged`) until there are
   * more rows than were shown last, and until the pause is over.
   */
  awaitLiveResults(input: LiveResultsInput): Promise<LiveResults>;
}
