import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Both ends included. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

const resamples = 10_000;

/** Any number does; a fixed one makes the same values give the same interval, also when a workflow is replayed. */
const seed = 20_180_621;

/**
 * 95 % percentile bootstrap interval of mean(own) - mean(other): both sides are drawn from themselves with replacement
 * 10,000 times, and the middle 95 % of the differences is the interval (Efron and Tibshirani 1993, "An Introduction to
 * the Bootstrap", chapters 8 and 13). Null when a side has fewer than two finite values: drawing from one value shows
 * no spread. With few values it is too narrow; see `verdict`, which does not decide by it.
 */
export function bootstrapInterval(own: readonly number[], other: readonly number[]): Interval | null {
  const [left, right] = [own.filter(Number.isFinite), other.filter(Number.isFinite)];
  if (left.length < 2 || right.length < 2) return null;
  const generator = xoroshiro128plus(seed);
  const draw = (values: readonly number[]): number => {
    let sum = 0;
    for (let count = 0; count < values.length; count += 1) {
      sum += values[uniformInt(generator, 0, values.length - 1)] ?? 0;
    }
    return sum / values.length;
  };
  const differences = new Float64Array(resamples);
  for (const index of differences.keys()) differences[index] = draw(left) - draw(right);
  differences.sort();
  return { low: quantile(differences, 0.025), high: quantile(differences, 0.975) };
}

/** Of ascending values, by straight lines between neighbours. */
function quantile(ascending: Float64Array, part: number): number {
  const place = part * (ascending.length - 1);
  const low = ascending[Math.floor(place)] ?? Number.NaN;
  const high = ascending[Math.ceil(place)] ?? Number.NaN;
  return low + (high - low) * (place - Math.floor(place));
}
