import type { Verdict } from './verdict.ts';

/**
 * One curve of one run: the metric over `_step`, thinned for a picture; `step[i]` belongs to `value[i]`. A value that
 * is not finite is null: JSON has no NaN, and a gap in a curve is a finding.
 */
export interface Curve {
  readonly label: string;
  readonly seed: number | null;
  readonly step: readonly number[];
  readonly value: readonly (number | null)[];
}

/** What one run ended with. `value` is the metric's final value (W&B summary), null when it never logged it. */
export interface RunResult {
  readonly runId: string;
  readonly url: string;
  readonly seed: number | null;
  readonly value: number | null;
  readonly lastStep: number;
  readonly rows: number;
  readonly curve: Curve;
  /** Rows in which the metric was no finite number (NaN, an infinity, text). */
  readonly gaps?: number;
  /** How long the run took by its own clock, s; null when it did not say. */
  readonly runtimeSeconds?: number | null;
}

/** The results read back from W&B for one attempt, and the baseline's. */
export interface Results {
  readonly runs: readonly RunResult[];
  readonly baseline: { readonly name: string; readonly runs: readonly RunResult[] } | null;
}

/** A run as it stands while its job may still train: `value` is the last finite one so far, `url` is '' without a run. */
export interface LiveRun extends RunResult {
  /** W&B's word, such as `running`; null while the server has no such run. */
  readonly state: string | null;
}

/** What the server has so far. Nothing of it is evidence: nobody decides on it. */
export interface LiveResults extends Results {
  readonly runs: readonly LiveRun[];
  /** When it was read: ISO 8601, UTC. */
  readonly asOf: string;
  readonly metric: { readonly name: string; readonly goal: 'minimize' | 'maximize' };
}

export interface EvidenceJob {
  readonly seed: number;
  readonly jobId: string;
  readonly runId: string;
  readonly runUrl: string;
  readonly value: number | null;
  readonly gpuHours: number;
  /** From its first begin to its end, h. */
  readonly wallHours?: number;
  /** Highest resident memory of the training, bytes; null when it is not known. */
  readonly peakMemoryBytes?: number | null;
}

/** What the PI is shown, and what a decision is bound to. */
export interface Evidence {
  readonly headSha: string;
  readonly environmentDigest: string;
  readonly attempt: number;
  readonly jobs: readonly EvidenceJob[];
  readonly metric: { readonly name: string; readonly goal: 'minimize' | 'maximize' };
  readonly baseline: { readonly name: string; readonly values: readonly number[] } | null;
  readonly verdict: Verdict;
  readonly gpuHours: number;
  readonly wallHours: number;
}
