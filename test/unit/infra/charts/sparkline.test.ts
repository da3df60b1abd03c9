import { describe, expect, it } from 'vitest';

import { sparkline } from '../../../../infra/charts/sparkline.ts';
import { placeOf, valueRange } from '../../../../infra/charts/value-range.ts';

describe('sparkline', () => {
  it.each([
    [[0, 1 / 7, 2 / 7, 3 / 7, 4 / 7, 5 / 7, 6 / 7, 1], 8, '▁▂▃▄▅▆▇█'],
    [[1, null, 0], 8, '█×▁'],
    [[1, 1, 0.5, 0.5, 0, 0], 3, '█▅▁'],
    [[1, null, null, 0.5], 2, '█▅'],
    [[null, null, 1, 1], 2, '×█'],
    [[], 8, ''],
  ])('draws %j in %i columns', (values, columns, line) => {
    expect(sparkline(values, columns, (value) => value)).toBe(line);
  });
});

describe('valueRange', () => {
  it('is logarithmic over two decades above zero, and only there', () => {
    expect(valueRange([0.01, 1]).log).toBe(true);
    expect(valueRange([0.011, 1]).log).toBe(false);
    expect(valueRange([0, 1000]).log).toBe(false);
    expect(valueRange([-1, 1000]).log).toBe(false);
  });

  it.each([[[1, 2]], [[5]], [[0]], [[0.001, 1000]], [[-1.7e308, 1.7e308]], [[1e-300, 1.7e308]]])(
    'holds all of %j, from bottom to top',
    (values) => {
      const range = valueRange(values);
      expect(range.high).toBeGreaterThan(range.low);
      const places = values.map((value) => placeOf(value, range));
      expect(places.every((place) => place >= 0 && place <= 1)).toBe(true);
      expect(places).toEqual(places.toSorted((a, b) => a - b));
    },
  );

  it('puts the middle of a decade in the middle', () => {
    expect(placeOf(1, valueRange([0.01, 100]))).toBeCloseTo(0.5, 9);
    expect(placeOf(2, valueRange([1, 3]))).toBeCloseTo(0.5, 9);
  });
});
