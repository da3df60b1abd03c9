/** What the axis of values shows. */
export interface ValueRange {
  readonly low: number;
  readonly high: number;
  /** Values over two decades and all above zero: on a linear axis the end of training would be a flat line. */
  readonly log: boolean;
}

const decades = 2;

/** Room above and below, as a part of the whole. */
const margin = 0.05;

/** The axis for these finite values; at least one. */
export function valueRange(values: readonly number[]): ValueRange {
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  if (low > 0 && Math.log10(high) - Math.log10(low) >= decades) {
    const factor = 10 ** ((Math.log10(high) - Math.log10(low)) * margin);
    return {
      low: Math.max(low / factor, Number.MIN_VALUE),
      high: Math.min(high * factor, Number.MAX_VALUE),
      log: true,
    };
  }
  // A constant has no range of its own: some room on both sides keeps its one tick readable.
  const size = Math.max(Math.abs(low), Math.abs(high));
  const room = low === high ? (size === 0 ? 1 : size * 0.1) : (high / 2 - low / 2) * 2 * margin;
  const sure = Number.isFinite(room) ? room : 0;
  return { low: clamp(low - sure), high: clamp(high + sure), log: false };
}

/** Where a value lies on the axis: 0 at its low end, 1 at its high end. */
export function placeOf(value: number, { low, high, log }: ValueRange): number {
  if (log) return (Math.log10(value) - Math.log10(low)) / (Math.log10(high) - Math.log10(low));
  // Halved first: the distance between the largest doubles is no double.
  return (value / 2 - low / 2) / (high / 2 - low / 2);
}

function clamp(value: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));
}
