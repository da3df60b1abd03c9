import { createReadStream } from 'node:fs';
import { appendFile, mkdir, open, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';

import { unlessMissing } from '../../unless-missing.ts';

/** Told of each line that is set, in order; `isNew` is false where the index had a line already. */
export type OnLine = (index: number, line: string, isNew: boolean) => void;

const newline = 0x0a;

/**
 * Lines that are set by their index, as `file_stream` does. On disk everything is appended (`index`, a tab, the line),
 * so that setting a line again costs no more than the line; in memory there is only where each line lies. A last line
 * that a crash cut short is dropped when the file is opened.
 */
export class LineFile {
  readonly #path: string;
  readonly #onLine: OnLine;
  /** Byte position and length of each line's text; -1 where an index was passed over. */
  readonly #starts: number[] = [];
  readonly #lengths: number[] = [];
  #bytes = 0;
  #opened: Promise<void> | undefined;

  constructor(path: string, onLine: OnLine = () => undefined) {
    this.#path = path;
    this.#onLine = onLine;
  }

  /** One more than the highest index that was set. */
  async count(): Promise<number> {
    await this.#open();
    return this.#starts.length;
  }

  /** Not to be called again before the last call has ended. */
  async set(offset: number, content: readonly string[]): Promise<void> {
    await this.#open();
    if (content.length === 0) return;
    const lines = content.map((line) => line.replaceAll('\n', ' '));
    const text = lines.map((line, index) => `${offset + index}\t${line}\n`).join('');
    await mkdir(dirname(this.#path), { recursive: true });
    await appendFile(this.#path, text);
    for (const [index, line] of lines.entries()) this.#place(offset + index, line, Buffer.byteLength(line));
  }

  /** The lines of these indices, in this order; an empty one where none was set. */
  async read(indices: readonly number[]): Promise<string[]> {
    await this.#open();
    if (indices.length === 0) return [];
    const file = await unlessMissing(open(this.#path));
    if (file === undefined) return indices.map(() => '');
    try {
      const lines: string[] = [];
      for (const stretch of this.#stretches(indices)) {
        const bytes = Buffer.alloc(stretch.end - stretch.start);
        await file.read(bytes, 0, bytes.length, stretch.start);
        for (const { start, length } of stretch.lines) {
          const from = start - stretch.start;
          lines.push(bytes.toString('utf8', from, from + length));
        }
      }
      return lines;
    } finally {
      await file.close();
    }
  }

  /** The lines from one index to before another; all, when none is given. */
  async range(from = 0, to = Infinity): Promise<string[]> {
    const end = Math.min(to, await this.count());
    return this.read(Array.from({ length: Math.max(0, end - from) }, (_, index) => from + index));
  }

  /** The last lines. */
  async tail(count: number): Promise<string[]> {
    return this.range(Math.max(0, (await this.count()) - count));
  }

  /** What can be read at once: lines that lie behind each other in the file, a megabyte at most. */
  *#stretches(indices: readonly number[]) {
    let lines: { start: number; length: number }[] = [];
    const stretch = () => {
      const last = lines.at(-1);
      return { start: lines[0]?.start ?? 0, end: last === undefined ? 0 : last.start + last.length, lines };
    };
    for (const index of indices) {
      const start = this.#starts[index] ?? -1;
      const next = { start: Math.max(0, start), length: start < 0 ? 0 : (this.#lengths[index] ?? 0) };
      const { start: first, end } = stretch();
      const distance = next.start - end;
      if (lines.length > 0 && (distance < 0 || distance > 4096 || next.start - first > 1_000_000)) {
        yield stretch();
        lines = [];
      }
      lines.push(next);
    }
    yield stretch();
  }

  #open(): Promise<void> {
    this.#opened ??= this.#load();
    return this.#opened;
  }

  async #load(): Promise<void> {
    const found = await unlessMissing(stat(this.#path));
    if (found === undefined) return;
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of createReadStream(this.#path)) {
      const bytes: Buffer = Buffer.concat([rest, chunk as Buffer]);
      let from = 0;
      for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, from)) {
        this.#take(bytes.toString('utf8', from, end));
        from = end + 1;
      }
      rest = bytes.subarray(from);
    }
    if (rest.length > 0) await truncate(this.#path, this.#bytes);
  }

  #take(text: string): void {
    const tab = text.indexOf('\t');
    const line = text.slice(tab + 1);
    this.#place(Number(text.slice(0, tab)), line, Buffer.byteLength(line));
  }

  #place(index: number, line: string, length: number): void {
    const start = this.#bytes + String(index).length + 1;
    while (this.#starts.length < index) {
      this.#starts.push(-1);
      this.#lengths.push(0);
    }
    const isNew = (this.#starts[index] ?? -1) < 0;
    this.#starts[index] = start;
    this.#lengths[index] = length;
    this.#bytes = start + length + 1;
    this.#onLine(index, line, isNew);
  }
}
