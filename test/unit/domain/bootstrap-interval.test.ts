import { describe, expect, it } from 'vitest';

import { bootstrapInterval } from '../../../domain/bootstrap-interval.ts';

/** Means of every possible draw with replacement, ascending: the distribution that the bootstrap draws from. */
function allMeans(values: readonly number[]): number[] {
  let sums = [0];
  for (let count = 0; count < values.length; count += 1) {
    sums = sums.flatMap((sum) => values.map((value) => sum + value));
  }
  return sums.map((sum) => sum / values.length).toSorted((a, b) => a - b);
}

describe('bootstrapInterval', () => {
  it.each([[[0.1, 0.2, 0.4, 0.8, 1.6]], [[0.412, 0.405, 0.419, 0.431, 0.4]], [[5, 1, 4, 1, 3, 9]]])(
    'comes near the exact interval of %j',
    (values) => {
      const exact = allMeans(values);
      const spread = (exact.at(-1) ?? 0) - (exact[0] ?? 0);
      const interval = bootstrapInterval(values, [0, 0]);
      // Within what 10,000 draws leave open: a fiftieth of the range.
      expect(interval?.low).toBeGreaterThan((exact[Math.floor(exact.length * 0.025)] ?? 0) - spread / 50);
      expect(interval?.low).toBeLessThan((exact[Math.floor(exact.length * 0.025)] ?? 0) + spread / 50);
      expect(interval?.high).toBeGreaterThan((exact[Math.ceil(exact.length * 0.975) - 1] ?? 0) - spread / 50);
      expect(interval?.high).toBeLessThan((exact[Math.ceil(exact.length * 0.975) - 1] ?? 0) + spread / 50);
    },
  );

  it('draws from both sides', () => {
    // Half of the draws of each side give 0.5, a quarter each end: the ends of the difference have 1/16 each.
    expect(bootstrapInterval([0, 1], [0, 1])).toEqual({ low: -1, high: 1 });
    expect(bootstrapInterval([2, 2], [1, 1])).toEqual({ low: 1, high: 1 });
  });

  it('gives the same each time, and nothing where one value stands alone', () => {
    const [own, other] = [
      [0.4, 0.5, 0.45],
      [0.52, 0.49],
    ];
    expect(bootstrapInterval(own, other)).toEqual(bootstrapInterval(own, other));
    expect(bootstrapInterval([1], [1, 2])).toBeNull();
    expect(bootstrapInterval([1, 2], [1, Number.NaN])).toBeNull();
  });
});
