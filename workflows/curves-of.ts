import type { ExperimentCurves } from './contract.ts';
import type { Experiment } from './experiment-state.ts';

/** Those of the evidence, else what is known of the jobs that train; null while there is nothing to draw. */
export function curvesOf({ results, live, note }: Experiment): ExperimentCurves | null {
  if (note === null) return null;
  const { title, metric } = note;
  if (results !== null) return { title, metric, results, asOf: null };
  if (live === null) return null;
  return { title, metric, results: { runs: live.runs, baseline: live.baseline }, asOf: live.asOf };
}
