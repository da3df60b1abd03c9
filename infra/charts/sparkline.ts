const blocks = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** Where nothing finite was logged: a finding, so it is no blank. */
const gapSign = '×';

/** How high a value stands: 0 is the lowest, 1 the highest. */
export type Height = (value: number) => number;

/**
 * A curve as one line of text, `columns` letters at most, for whoever sees no pictures. Each column shows the last
 * finite value of its stretch; a stretch without any is a gap.
 */
export function sparkline(values: readonly (number | null)[], columns: number, height: Height): string {
  const width = Math.min(columns, values.length);
  const stretch = (index: number) =>
    values.slice(
      Math.floor((index * values.length) / width),
      Math.floor(((index + 1) * values.length) / width),
    );
  return Array.from({ length: width }, (_, index) => {
    const value = stretch(index).findLast((each) => each !== null);
    if (value === undefined || value === null) return gapSign;
    const level = Math.min(blocks.length - 1, Math.max(0, Math.floor(height(value) * blocks.length)));
    return blocks[level] ?? gapSign;
  }).join('');
}
