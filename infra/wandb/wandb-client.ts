/** Where a run lies on a W&B server. */
export interface RunPath {
  readonly entity: string;
  readonly project: string;
  readonly runId: string;
}

/** A run as the server knows it now. */
export interface WandbRun extends RunPath {
  readonly displayName: string;
  /** `running`, `finished`, `failed`, `crashed`, `killed` and so on; see `isEnded`. */
  readonly state: string;
  readonly group: string | null;
  readonly tags: readonly string[];
  /** Lines of history that the server holds; told some seconds late by wandb.ai. */
  readonly rows: number;
  /** Null when there is no row. */
  readonly lastStep: number | null;
  /** How many rows hold each metric; null where the server does not say. */
  readonly metricRows: Readonly<Record<string, number>> | null;
  /** The last value of each metric, or what `define_metric` made of it. */
  readonly summary: Readonly<Record<string, unknown>>;
  readonly config: Readonly<Record<string, unknown>>;
  /** For people. */
  readonly url: string;
}

/** What reading a history needs to know of its run. */
export type LookedAt = RunPath & Pick<WandbRun, 'lastStep' | 'metricRows'>;

/** One row's value of one metric; null where it is not a finite number. */
export interface HistoryPoint {
  readonly step: number;
  readonly value: number | null;
}

/**
 * A W&B server as far as results are read from it. Every method throws `Failure`: `WandbUnauthorized` (the key is not
 * accepted or may not see this), `WandbUnavailable` (anything that may pass; `retryAfterMs` where the server said so).
 */
export interface WandbClient {
  /** The entity that a run without one goes to; null when the key has no default. */
  defaultEntity(signal?: AbortSignal): Promise<string | null>;
  /** Null when there is no such run (or project, or entity). */
  run(path: RunPath, signal?: AbortSignal): Promise<WandbRun | null>;
  /**
   * Every row that holds the metric, not a sample of them: ascending by step, one for each step. Give the run as it was
   * read right before; rows that came since may be missing.
   */
  history(run: LookedAt, metric: string, signal?: AbortSignal): Promise<readonly HistoryPoint[]>;
  /** The newest runs of a project that fit a Mongo-style filter, at most 100; none when there is no such project. */
  runs(
    project: Omit<RunPath, 'runId'>,
    filter: Readonly<Record<string, unknown>>,
    signal?: AbortSignal,
  ): Promise<readonly WandbRun[]>;
}

const endedStates = new Set(['finished', 'failed', 'crashed', 'killed', 'preempted']);

/** Whether nothing more is expected of a run. */
export function isEnded(state: string): boolean {
  return endedStates.has(state);
}
