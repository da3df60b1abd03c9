import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { z } from 'zod';

import { parseLooseJson } from '../../wandb/loose-json.ts';
import { LineFile } from './line-file.ts';

export type Row = Readonly<Record<string, unknown>>;

/** How the server thins a history that is longer than what was asked for. */
export interface Sampling {
  /** True: other rows at each request, as wandb.ai does. */
  readonly unstable: boolean;
  /** True: never with the last row. */
  readonly dropLast: boolean;
}

const Spec = z.object({
  keys: z.array(z.string()),
  samples: z.int().positive().default(500),
  minStep: z.number().optional(),
  maxStep: z.number().optional(),
});

/**
 * The history of a run: its lines on disk, and in memory the step of each row and the names and types of the metrics,
 * so that a question about the whole run reads none of its rows.
 */
export class History {
  readonly #file: LineFile;
  /** Null where an index was passed over, NaN where a row names no step. */
  readonly #steps: (number | null)[] = [];
  readonly #keys = new Map<string, Map<string, number>>();
  readonly #counted: { readonly at: number; readonly rows: number }[] = [];
  #samplings = 0;

  constructor(path: string) {
    this.#file = new LineFile(path, (index, line, isNew) => this.#note(index, line, isNew));
  }

  /** Throws a `SyntaxError` when a line is no JSON object; then nothing of the content is set. */
  async set(offset: number, content: readonly string[]): Promise<void> {
    for (const line of content) parseRow(line);
    // What was there before the first change counts for a server that counts late.
    if (this.#counted.length === 0) this.#counted.push({ at: 0, rows: await this.#file.count() });
    await this.#file.set(offset, content);
    this.#counted.push({ at: Date.now(), rows: this.#steps.length });
  }

  /** How many rows the server knows of: those of `lateMs` ago, where it counts late. */
  async count(lateMs = 0): Promise<number> {
    const now = await this.#file.count();
    if (lateMs === 0 || this.#counted.length === 0) return now;
    const until = Date.now() - lateMs;
    return this.#counted.findLast(({ at }) => at <= until)?.rows ?? 0;
  }

  /** All metric names with their types, and the last step of the first `rows` rows; -1 when there is none. */
  async keys(rows: number): Promise<object> {
    await this.#file.count();
    const described = [...this.#keys].map(([key, counts]) => [
      key,
      { typeCounts: [...counts].map(([type, count]) => ({ type, count })), monotonic: key === '_step' },
    ]);
    let lastStep = -1;
    for (const step of this.#steps.slice(0, rows)) if (step !== null && step > lastStep) lastStep = step;
    return { sets: [], keys: Object.fromEntries(described), lastStep };
  }

  /** `history(samples, minStep, maxStep)`: the lines as they came, from one step to before another, thinned. */
  async lines(samples: number, minStep: number, maxStep: number, sampling: Sampling): Promise<string[]> {
    const found = await this.#between(minStep, maxStep);
    return this.#file.read(this.#thin(found, samples, sampling));
  }

  /** `sampledHistory` for one spec: rows with all of the keys, both steps included, thinned. */
  async sampled(specText: string, sampling: Sampling): Promise<Row[]> {
    const spec = Spec.parse(JSON.parse(specText));
    const found = await this.#between(spec.minStep ?? -Infinity, (spec.maxStep ?? Infinity) + 1);
    const whole: Row[] = [];
    for (let from = 0; from < found.length; from += 10_000) {
      for (const line of await this.#file.read(found.slice(from, from + 10_000))) {
        const row = flatten(parseRow(line));
        if (spec.keys.every((key) => key in row)) {
          whole.push(Object.fromEntries(spec.keys.map((key) => [key, row[key]])));
        }
      }
    }
    return this.#thin(whole, spec.samples, sampling);
  }

  /** Rows for a picture: at most `count`, with the first and the last one. */
  async overview(count: number): Promise<Row[]> {
    const rows = await this.#between(-Infinity, Infinity);
    const stride = Math.max(1, (rows.length - 1) / (count - 1));
    const wanted = new Set(Array.from({ length: count }, (_, index) => Math.round(index * stride)));
    const lines = await this.#file.read(rows.filter((_, index) => wanted.has(index)));
    return lines.map((line) => flatten(parseRow(line)));
  }

  tail(count: number): Promise<string[]> {
    return this.#file.tail(count);
  }

  /** Indices of the rows with a step from `min` to before `max`; a row that names no step is in every range. */
  async #between(min: number, max: number): Promise<number[]> {
    await this.#file.count();
    return [...this.#steps.keys()].filter((index) => {
      const step = this.#steps[index];
      return typeof step === 'number' && (Number.isNaN(step) || (step >= min && step < max));
    });
  }

  #thin<T>(items: readonly T[], count: number, { unstable, dropLast }: Sampling): T[] {
    if (items.length <= count) return [...items];
    const stride = items.length / count;
    if (unstable) this.#samplings += 1;
    const generator = xoroshiro128plus(this.#samplings);
    return Array.from({ length: count }, (_, index) => {
      const from = Math.floor(index * stride);
      const to = Math.min(items.length - 1, Math.ceil((index + 1) * stride) - 1);
      return unstable ? uniformInt(generator, from, Math.max(from, to)) : from;
    })
      .filter((index) => !dropLast || index < items.length - 1)
      .flatMap((index) => items.slice(index, index + 1));
  }

  #note(index: number, line: string, isNew: boolean): void {
    const row = flatten(parseRow(line));
    while (this.#steps.length < index) this.#steps.push(null);
    this.#steps[index] = typeof row['_step'] === 'number' ? row['_step'] : Number.NaN;
    if (!isNew) return;
    for (const [key, value] of Object.entries(row)) {
      const counts = this.#keys.get(key) ?? new Map<string, number>();
      const type = typeof value === 'string' && /^(NaN|-?Infinity)$/.test(value) ? 'number' : typeof value;
      counts.set(type, (counts.get(type) ?? 0) + 1);
      this.#keys.set(key, counts);
    }
  }
}

/** Keys nested in one another are told with dots, as W&B names them; pictures, tables and the like stay whole. */
function flatten(row: Row, prefix = ''): Record<string, unknown> {
  const flat: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(row)) {
    if (isRow(value) && !('_type' in value)) Object.assign(flat, flatten(value, `${prefix}${key}.`));
    else flat[`${prefix}${key}`] = value;
  }
  return flat;
}

/** Numbers that are not finite become the words "NaN" and so on, as the real server tells them. */
function parseRow(line: string): Row {
  const row = parseLooseJson(line, 'text');
  if (!isRow(row)) throw new SyntaxError(`a line of the history is no JSON object: ${line.slice(0, 80)}`);
  return row;
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
