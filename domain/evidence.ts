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
}

/** The results read back from W&B for one attempt, and the baseline's. */
export interface Results {
  readonly runs: readonly RunResult[];
  readonly baseline: { readonly name: string; readonly runs: readonly RunResult[] } | null;
}

export interface EvidenceJob {
  readonly seed: number;
  readonly jobId: string;
  readonly runId: string;
  readonly runUrl: string;
  readonly value: number | null;
  readonly gpuHours: number;
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
