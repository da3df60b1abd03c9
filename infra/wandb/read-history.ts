import type { HistoryPoint } from './wandb-client.ts';

/** Asks for the rows that hold the metric, `from` and `to` included, thinned to `samples` where there are more. */
export type AskRange = (range: {
  readonly from: number;
  readonly to: number;
  readonly samples: number;
}) => Promise<readonly Readonly<Record<string, unknown>>[]>;

export interface HistoryPlan {
  readonly metric: string;
  /** The last step of the run. */
  readonly lastStep: number;
  /** Rows that hold the metric, as the server counts them; null where it does not say. */
  readonly expected: number | null;
}

/** Rows of one answer. The client of W&B asks for as many when it reads a whole history. */
const answerRows = 1000;

/** Of an answer's room, so that steps which were logged twice do not fill it. */
const fill = 0.8;

/**
 * Reads every row that holds the metric, by ranges of steps and one request for each. The server thins what is longer
 * than was asked for and does not say so: a range whose answer came back full is asked for again in halves. So the
 * width of a range follows the density of the rows, and sparse steps cost no empty requests.
 * Ascending by step; a step that was sent twice counts once, with what was sent last.
 */
export async function readHistory(ask: AskRange, plan: HistoryPlan): Promise<readonly HistoryPoint[]> {
  const { metric, lastStep, expected } = plan;
  if (expected === 0 || lastStep < 0) return [];
  const steps = lastStep + 1;
  const ranges = Math.max(1, Math.ceil((expected ?? steps) / (answerRows * fill)));
  const width = Math.max(1, Math.ceil(steps / ranges));
  const found = new Map<number, number | null>();
  for (let from = 0; from <= lastStep; from += width) {
    const to = Math.min(lastStep, from + width - 1);
    for (const [step, value] of await readRange(ask, metric, from, to)) found.set(step, value);
  }
  return [...found].map(([step, value]) => ({ step, value })).toSorted((a, b) => a.step - b.step);
}

async function readRange(
  ask: AskRange,
  metric: string,
  from: number,
  to: number,
): Promise<(readonly [number, number | null])[]> {
  const rows = await ask({ from, to, samples: answerRows });
  if (rows.length < answerRows || from === to) return rows.flatMap((row) => pointOf(row, metric));
  const middle = Math.floor((from + to) / 2);
  const left = await readRange(ask, metric, from, middle);
  return [...left, ...(await readRange(ask, metric, middle + 1, to))];
}

/** NaN and infinities, which come as words or as nothing, become null. */
function pointOf(
  row: Readonly<Record<string, unknown>>,
  metric: string,
): readonly (readonly [number, number | null])[] {
  const { _step: step, [metric]: value } = row;
  if (typeof step !== 'number') return [];
  return [[step, typeof value === 'number' && Number.isFinite(value) ? value : null]];
}
