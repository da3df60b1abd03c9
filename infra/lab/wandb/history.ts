import { z } from 'zod';

import { parseLooseJson } from '../../wandb/loose-json.ts';
import type { StoredRun } from './run-store.ts';

export type Row = Readonly<Record<string, unknown>>;

const RowText = z.record(z.string(), z.unknown());
const Spec = z.object({
  keys: z.array(z.string()),
  samples: z.int().positive().default(500),
  minStep: z.number().optional(),
  maxStep: z.number().optional(),
});

/** A run's history as objects; numbers that are not finite come as the words "NaN" and so on, as the real server does. */
export function historyRows(run: StoredRun): Row[] {
  return run.history.lines.filter((line) => line !== '').map(parseRow);
}

/** How many rows the server knows of: those of `lateMs` ago, where it counts late. */
export function countedRows(run: StoredRun, lateMs: number): number {
  if (lateMs === 0) return run.history.lines.length;
  const until = Date.now() - lateMs;
  return run.counted.findLast(({ at }) => at <= until)?.rows ?? 0;
}

/** Keys nested in one another are told with dots, as W&B names them. */
export function flatten(row: Row, prefix = ''): Record<string, unknown> {
  const flat: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(row)) {
    if (isRow(value)) Object.assign(flat, flatten(value, `${prefix}${key}.`));
    else flat[`${prefix}${key}`] = value;
  }
  return flat;
}

/** All metric names with their types, and the last step. */
export function historyKeys(rows: readonly Row[]): unknown {
  const keys = new Map<string, Map<string, number>>();
  let lastStep = -1;
  for (const row of rows.map((each) => flatten(each))) {
    if (typeof row['_step'] === 'number') lastStep = Math.max(lastStep, row['_step']);
    for (const [key, value] of Object.entries(row)) {
      const counts = keys.get(key) ?? new Map<string, number>();
      const type = typeof value === 'string' && /^(NaN|-?Infinity)$/.test(value) ? 'number' : typeof value;
      counts.set(type, (counts.get(type) ?? 0) + 1);
      keys.set(key, counts);
    }
  }
  const described = [...keys].map(([key, counts]) => [
    key,
    { typeCounts: [...counts].map(([type, count]) => ({ type, count })), monotonic: key === '_step' },
  ]);
  return { sets: [], keys: Object.fromEntries(described), lastStep };
}

/** `sampledHistory` for one spec: rows with all of the keys, thinned. */
export function sampledRows(rows: readonly Row[], specText: string): Row[] {
  const spec = Spec.parse(JSON.parse(specText));
  const whole = rows
    .map((row) => flatten(row))
    .filter((row) => spec.keys.every((key) => key in row))
    .filter((row) => inRange(row, spec.minStep ?? -Infinity, (spec.maxStep ?? Infinity) + 1))
    .map((row) => Object.fromEntries(spec.keys.map((key) => [key, row[key]])));
  return sample(whole, spec.samples);
}

/** Evenly spaced and, as on the real server, not sure to hold the last one. */
export function sample<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  const stride = items.length / count;
  return items.filter((_, index) => Math.floor(index / stride) !== Math.floor((index - 1) / stride));
}

/** `from` inclusive, `to` exclusive. */
export function inRange(row: Row, from: number, to: number): boolean {
  const step = row['_step'];
  return typeof step !== 'number' || (step >= from && step < to);
}

function parseRow(line: string): Row {
  return RowText.parse(parseLooseJson(line, 'text'));
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !('_type' in value);
}
