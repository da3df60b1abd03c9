import type { Results, RunResult } from '../../domain/evidence.ts';

/** The four kinds of line in a picture, from the least to the most important: later ones are drawn over earlier ones. */
export type LineKind = 'baseline-seed' | 'baseline-mean' | 'own-seed' | 'own-mean';

/** One point of one line; `value` is null where the line is broken (NaN, Infinity, nothing logged). */
export interface CurveRow {
  readonly line: string;
  readonly kind: LineKind;
  readonly step: number;
  readonly value: number | null;
  /** A point without a neighbour: a line cannot show it, a dot must. */
  readonly alone: boolean;
}

interface Line {
  readonly step: readonly number[];
  readonly value: readonly (number | null)[];
}

/** Every line that can be drawn. A side with one run has no seeds line: its one curve is its mean. */
export function curveRows(results: Results): CurveRow[] {
  return [
    ...sideRows(results.baseline?.runs ?? [], 'baseline-seed', 'baseline-mean'),
    ...sideRows(results.runs, 'own-seed', 'own-mean'),
  ];
}

/** How many runs of a side have at least one finite value. */
export function drawableRuns(runs: readonly RunResult[]): number {
  return runs.filter((run) => isDrawable(toLine(run))).length;
}

function sideRows(runs: readonly RunResult[], seedKind: LineKind, meanKind: LineKind): CurveRow[] {
  const lines = runs.map(toLine).filter(isDrawable);
  const [only] = lines;
  if (lines.length === 1 && only !== undefined) return lineRows(only, meanKind, meanKind);
  return [
    ...lines.flatMap((line, index) => lineRows(line, seedKind, `${seedKind}-${index}`)),
    ...lineRows(meanLine(lines), meanKind, meanKind),
  ];
}

/** Ascending, one value a step (the last one logged), every non-finite value a gap. */
function toLine(run: RunResult): Line {
  const byStep = new Map<number, number | null>();
  for (const [index, step] of run.curve.step.entries()) {
    const value = run.curve.value[index];
    if (Number.isFinite(step)) byStep.set(step, Number.isFinite(value) ? (value ?? null) : null);
  }
  const points = [...byStep].toSorted(([a], [b]) => a - b);
  return { step: points.map(([step]) => step), value: points.map(([, value]) => value) };
}

function isDrawable(line: Line): boolean {
  return line.value.some((value) => value !== null);
}

/**
 * The mean where all lines have something to say. Beyond the end of the shortest one it stops: a mean that changes its
 * members half way would show a jump that nobody trained.
 */
function meanLine(lines: readonly Line[]): Line {
  const from = Math.max(...lines.map((line) => line.step[0] ?? Infinity));
  const to = Math.min(...lines.map((line) => line.step.at(-1) ?? -Infinity));
  const step = [...new Set(lines.flatMap((line) => line.step))]
    .filter((each) => each >= from && each <= to)
    .toSorted((a, b) => a - b);
  const columns = lines.map((line) => valuesAt(line, step));
  const value = step.map((_, index) => mean(columns.map((column) => column[index] ?? null)));
  return { step, value };
}

/** Values at ascending steps, by straight lines between neighbours; a gap stays a gap. */
function valuesAt(line: Line, steps: readonly number[]): (number | null)[] {
  let right = 0;
  return steps.map((step) => {
    while (right < line.step.length - 1 && (line.step[right] ?? 0) < step) right += 1;
    const rightStep = line.step[right] ?? step;
    const rightValue = line.value[right] ?? null;
    if (rightStep === step || right === 0) return rightValue;
    const leftStep = line.step[right - 1] ?? step;
    const leftValue = line.value[right - 1] ?? null;
    if (leftValue === null || rightValue === null) return null;
    return leftValue + ((rightValue - leftValue) * (step - leftStep)) / (rightStep - leftStep);
  });
}

function mean(values: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    // Divided one by one: the sum of values near the largest double would be Infinity.
    sum += value / values.length;
  }
  return sum;
}

function lineRows(line: Line, kind: LineKind, name: string): CurveRow[] {
  return line.step.map((step, index) => {
    const value = line.value[index] ?? null;
    const before = line.value[index - 1] ?? null;
    const after = line.value[index + 1] ?? null;
    const alone = value !== null && before === null && after === null;
    return { line: name, kind, step, value, alone };
  });
}
