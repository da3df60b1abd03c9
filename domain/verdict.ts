import { bootstrapInterval, type Interval } from './bootstrap-interval.ts';

/** What the numbers say of the metric, noise taken into account. */
export interface Verdict {
  /** `cannot-tell`: the difference is not zero, but one run on each side says nothing of noise. */
  readonly status: 'better' | 'worse' | 'inside-noise' | 'cannot-tell' | 'no-baseline' | 'unmeasured';
  /** Mean over the seeds; null when no seed has a value. */
  readonly mean: number | null;
  readonly baselineMean: number | null;
  /** mean - baselineMean, in the metric's unit. */
  readonly delta: number | null;
  /** delta / |baselineMean|, as a fraction. */
  readonly relativeDelta: number | null;
  /** Sample standard deviation over the seeds; null with fewer than two. */
  readonly noiseStd: number | null;
  /** Half-width of the 95 % confidence interval of delta; null when it cannot be computed. */
  readonly margin: number | null;
  /** 95 % bootstrap interval of delta, beside the one that decides; null with fewer than two values on a side. */
  readonly bootstrap?: Interval | null;
  readonly sentence: string;
}

/** Two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom. */
const t95 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/**
 * Compares the seeds' final values with the baseline's: are the means further apart than the noise between seeds?
 *
 * - Welch's t interval of the difference, 95 % (Welch 1947), decides: *better* or *worse* when it leaves out zero, else
 *   *inside noise*. With the three to ten seeds that training can afford it keeps its error rate, while a bootstrap
 *   interval is too narrow and finds effects that are not there (Colas, Sigaud and Oudeyer 2018, "How Many Random
 *   Seeds?", arXiv 1806.08295).
 * - The bootstrap interval stands beside it, for it assumes no shape of the values: where the two differ much, an
 *   outlier or too few seeds is the reason. See `bootstrapInterval`.
 * - With a single value on one side that side's spread is taken to be the other's. With a single value on both, noise
 *   cannot be told, and that is the answer.
 * - Values that are not finite (a run that diverged, or never logged) are left out, and the sentence counts them: the
 *   mean of the runs that survived flatters a method that often diverges.
 *
 * `missing` counts runs of the own side that have no value at all, on top of non-finite ones among `values`.
 */
export function verdict(
  values: readonly number[],
  baseline: readonly number[] | null,
  goal: 'minimize' | 'maximize',
  missing = 0,
): Verdict {
  const own = summarize(values);
  const other = baseline === null ? null : summarize(baseline);
  if (own === null) return unmeasured(other?.mean ?? null);
  const lost = lostRuns(values.length - own.n + missing, values.length + missing);
  if (other === null) {
    const spread = own.n > 1 ? ` ± ${format(own.std)}` : '';
    const sentence = `${format(own.mean)}${spread} over ${seeds(own.n)}; there is no baseline to compare with.${lost}`;
    return { ...base(own), status: 'no-baseline', sentence };
  }
  const delta = own.mean - other.mean;
  const margin = welchMargin(own, other);
  const relativeDelta = other.mean === 0 ? null : delta / Math.abs(other.mean);
  const status = classify(delta, margin, goal);
  const sentence = describe(status, own, other, { delta, relativeDelta, margin }) + lost;
  const bootstrap = bootstrapInterval(values, baseline ?? []);
  return {
    ...base(own),
    status,
    baselineMean: other.mean,
    delta,
    relativeDelta,
    margin,
    bootstrap,
    sentence,
  };
}

interface Sample {
  readonly n: number;
  readonly mean: number;
  readonly std: number;
}

function summarize(values: readonly number[]): Sample | null {
  const finite = values.filter(Number.isFinite);
  const n = finite.length;
  if (n === 0) return null;
  const mean = finite.reduce((sum, value) => sum + value, 0) / n;
  const squares = finite.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { n, mean, std: n > 1 ? Math.sqrt(squares / (n - 1)) : 0 };
}

function welchMargin(own: Sample, other: Sample): number | null {
  if (own.n < 2 && other.n < 2) return null;
  const a = (own.n > 1 ? own.std : other.std) ** 2 / own.n;
  const b = (other.n > 1 ? other.std : own.std) ** 2 / other.n;
  if (a + b === 0) return 0;
  const freedom =
    own.n > 1 && other.n > 1
      ? (a + b) ** 2 / (a ** 2 / (own.n - 1) + b ** 2 / (other.n - 1))
      : Math.max(own.n, other.n) - 1;
  return quantile(freedom) * Math.sqrt(a + b);
}

/**
 * Two-sided 95 % quantile of Student's t for any number of degrees of freedom from 1 on. Between two entries of the
 * table it is taken along 1/freedom, which errs to the wide side; beyond the table by the Cornish-Fisher expansion.
 */
function quantile(freedom: number): number {
  const below = Math.floor(freedom);
  const low = t95[below - 1];
  const high = t95[below];
  if (low !== undefined && high !== undefined) {
    const part = (1 / below - 1 / freedom) / (1 / below - 1 / (below + 1));
    return low + (high - low) * part;
  }
  const z = 1.959964;
  return z + (z ** 3 + z) / (4 * freedom) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2);
}

type Compared = 'better' | 'worse' | 'inside-noise' | 'cannot-tell';

function classify(delta: number, margin: number | null, goal: 'minimize' | 'maximize'): Compared {
  if (margin === null) return delta === 0 ? 'inside-noise' : 'cannot-tell';
  if (delta === 0 || Math.abs(delta) <= margin) return 'inside-noise';
  return delta < 0 === (goal === 'minimize') ? 'better' : 'worse';
}

function describe(
  status: Compared,
  own: Sample,
  other: Sample,
  { delta, relativeDelta, margin }: { delta: number; relativeDelta: number | null; margin: number | null },
): string {
  const percent =
    relativeDelta === null ? '' : ` (${delta > 0 ? '+' : ''}${(relativeDelta * 100).toFixed(1)} %)`;
  const change = `${format(own.mean)} against ${format(other.mean)}, ${delta > 0 ? '+' : ''}${format(delta)}${percent}`;
  if (margin === null) {
    return `${words[status]}: ${change}; with one run on each side noise cannot be told. Rerun with more seeds.`;
  }
  return `${words[status]}: ${change}, 95 % interval ± ${format(margin)} (${seeds(own.n)} against ${seeds(other.n)}).`;
}

const words: Readonly<Record<Compared, string>> = {
  better: 'Better',
  worse: 'Worse',
  'inside-noise': 'Inside noise',
  'cannot-tell': 'Cannot tell',
};

function lostRuns(lost: number, all: number): string {
  if (lost === 0) return '';
  return ` ${lost} of ${seeds(all)} ended without a finite value and ${lost === 1 ? 'is' : 'are'} left out.`;
}

function base(own: Sample): Omit<Verdict, 'status' | 'sentence'> {
  return {
    mean: own.mean,
    baselineMean: null,
    delta: null,
    relativeDelta: null,
    noiseStd: own.n > 1 ? own.std : null,
    margin: null,
  };
}

function unmeasured(baselineMean: number | null): Verdict {
  const nothing = { mean: null, delta: null, relativeDelta: null, noiseStd: null, margin: null };
  return {
    ...nothing,
    status: 'unmeasured',
    baselineMean,
    sentence: 'No run logged the metric: there is nothing to compare.',
  };
}

function seeds(n: number): string {
  return n === 1 ? '1 seed' : `${n} seeds`;
}

/** Four digits that matter, zeros too, so that numbers beside each other can be compared digit by digit. */
function format(value: number): string {
  const size = Math.abs(value);
  if (Number.isInteger(value) || size >= 1000 || size < 1e-4) return Number(value.toPrecision(4)).toString();
  return value.toPrecision(4);
}
