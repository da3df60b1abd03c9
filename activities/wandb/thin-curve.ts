import type { HistoryPoint } from '../../infra/wandb/wandb-client.ts';

/**
 * A curve with at most `limit` points that draws the same picture. Of each stretch the first, the last, the lowest and
 * the highest point stay, and one gap if there is any (the M4 aggregation: Jugel et al., VLDB 2014): a spike or a NaN
 * between two points is a finding, and taking each n-th point would hide it. Points ascend by step.
 */
export function thinCurve(points: readonly HistoryPoint[], limit: number): readonly HistoryPoint[] {
  if (points.length <= limit) return points;
  const stretches = Math.max(1, Math.floor(limit / pointsOfStretch));
  const length = Math.ceil(points.length / stretches);
  return Array.from({ length: stretches }, (_, index) =>
    outline(points.slice(index * length, (index + 1) * length)),
  ).flat();
}

/** First, last, lowest, highest, gap. */
const pointsOfStretch = 5;

function outline(points: readonly HistoryPoint[]): readonly HistoryPoint[] {
  const finite = points.filter(({ value }) => value !== null);
  const ascending = finite.toSorted((a, b) => (a.value ?? 0) - (b.value ?? 0));
  const gap = points.find(({ value }) => value === null);
  const kept = new Set([points[0], ascending[0], gap, ascending.at(-1), points.at(-1)]);
  return points.filter((point) => kept.has(point));
}
