import { describe, expect, it } from 'vitest';

import { verdict } from '../../../domain/verdict.ts';

function steps(from: number, to: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from + ((to - from) * index) / (count - 1));
}

describe('verdict', () => {
  // Delta and half-width as scipy 1.x gives them: ttest_ind(own, baseline, equal_var=False).confidence_interval(0.95).
  it.each([
    {
      own: [0.412, 0.405, 0.419],
      other: [0.431, 0.436, 0.428],
      delta: -0.0196667,
      margin: 0.0143399,
      status: 'better',
    },
    {
      own: [0.9, 0.91, 0.89, 0.92, 0.905],
      other: [0.9, 0.93, 0.87],
      delta: 0.005,
      margin: 0.0677279,
      status: 'inside-noise',
    },
    { own: [1, 2, 3, 4], other: [10, 10.5], delta: -7.75, margin: 1.9811, status: 'better' },
    { own: [10, 10.5], other: [1, 2, 3, 4], delta: 7.75, margin: 1.9811, status: 'worse' },
    { own: steps(0, 1, 25), other: steps(0.4, 1.4, 25), delta: -0.4, margin: 0.174394, status: 'better' },
  ])('knows Welch: $own against $other is $status', ({ own, other, delta, margin, status }) => {
    const answer = verdict(own, other, 'minimize');
    expect(answer.status).toBe(status);
    expect(answer.delta).toBeCloseTo(delta, 6);
    // Never narrower than the exact interval, and at most 3 % wider.
    expect((answer.margin ?? 0) / margin).toBeGreaterThan(0.9999);
    expect((answer.margin ?? 0) / margin).toBeLessThan(1.03);
  });

  it('turns around with the goal', () => {
    const own = [0.9, 0.91];
    const other = [0.1, 0.11];
    expect(verdict(own, other, 'maximize').status).toBe('better');
    expect(verdict(own, other, 'minimize').status).toBe('worse');
  });

  it("takes the other side's spread for a single run", () => {
    // t(3 degrees of freedom) times the baseline's deviation times sqrt(1 + 1/4).
    const answer = verdict([0.512], [0.5, 0.52, 0.49, 0.51], 'minimize');
    expect(answer.margin).toBeCloseTo(0.0459347, 4);
    expect(answer.status).toBe('inside-noise');
    expect(verdict([0.5, 0.52, 0.49, 0.51], [0.512], 'minimize').margin).toBeCloseTo(0.0459347, 4);
  });

  it('says that noise cannot be told from one run on each side', () => {
    const answer = verdict([0.4], [0.5], 'minimize');
    expect(answer).toMatchObject({ status: 'cannot-tell', margin: null, noiseStd: null, bootstrap: null });
    expect(answer.sentence).toMatch(/^Cannot tell: .*noise cannot be told\. Rerun with more seeds\.$/);
    expect(verdict([0.4], [0.4], 'minimize').status).toBe('inside-noise');
  });

  it('leaves out what is no number', () => {
    const answer = verdict(
      [Number.NaN, 0.4, Number.POSITIVE_INFINITY, 0.4],
      [Number.NaN, 0.5, 0.5],
      'minimize',
    );
    expect(answer).toMatchObject({ status: 'better', mean: 0.4, baselineMean: 0.5, margin: 0 });
  });

  it('counts the runs that it leaves out', () => {
    const { sentence } = verdict([0.4, Number.NaN, 0.42], [0.5, 0.52], 'minimize', 1);
    expect(sentence).toContain('2 of 4 seeds ended without a finite value and are left out.');
    expect(verdict([0.4, 0.42], [0.5, 0.52], 'minimize').sentence).not.toContain('left out');
    expect(verdict([0.4, 0.42], null, 'minimize', 1).sentence).toContain('1 of 3 seeds');
  });

  it('shows the bootstrap interval, and does not decide by it', () => {
    const answer = verdict([0.4, 0.5, 0.45], [0.52, 0.49, 0.47], 'minimize');
    expect(answer.bootstrap?.high).toBeLessThan(0.02);
    expect(answer.margin).toBeGreaterThan(((answer.bootstrap?.high ?? 0) - (answer.bootstrap?.low ?? 0)) / 2);
    expect(answer.status).toBe('inside-noise');
  });

  it.each([[[]], [[Number.NaN]]])('is unmeasured for %j', (values) => {
    expect(verdict(values, [0.5], 'minimize')).toMatchObject({
      status: 'unmeasured',
      mean: null,
      baselineMean: 0.5,
    });
    expect(verdict(values, null, 'minimize')).toMatchObject({ status: 'unmeasured', baselineMean: null });
  });

  it.each([[null], [[]], [[Number.NaN]]])('has no baseline when that is %j', (baseline) => {
    const answer = verdict([1, 3], baseline, 'minimize');
    expect(answer).toMatchObject({ status: 'no-baseline', mean: 2, delta: null, margin: null });
    expect(answer.noiseStd).toBeCloseTo(Math.SQRT2, 12);
  });

  it('is inside noise when nothing changed at all, and has no percent of zero', () => {
    expect(verdict([1, 1], [1, 1], 'minimize')).toMatchObject({
      status: 'inside-noise',
      delta: 0,
      margin: 0,
    });
    expect(verdict([1, 1], [0, 0], 'maximize')).toMatchObject({ status: 'better', relativeDelta: null });
  });

  it('measures the relative change by the size of a negative baseline', () => {
    expect(verdict([-1, -1], [-2, -2], 'maximize')).toMatchObject({ status: 'better', relativeDelta: 0.5 });
  });

  it('needs a wider interval for fewer runs', () => {
    const margins = [2, 3, 5, 10, 40].map(
      (n) => verdict(steps(0, 1, n), steps(0, 1, n), 'minimize').margin ?? Number.NaN,
    );
    expect(margins).toEqual(margins.toSorted((left, right) => right - left));
  });
});
