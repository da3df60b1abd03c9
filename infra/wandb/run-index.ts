import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import writeFileAtomic from 'write-file-atomic';

import { unlessMissing } from '../unless-missing.ts';

/** What is remembered of a run's folder: nothing more needs to be done for it while its log is this one. */
export interface IndexEntry {
  readonly status: 'acknowledged' | 'quarantined';
  /** Bytes and time of the log when it was settled: both must be the same for it to stay so. */
  readonly size: number;
  readonly mtimeMs: number;
  readonly reason: string;
  readonly cure: string;
}

/** One sweep in so many looks at a settled folder again, so that nothing is believed for ever by its name alone. */
const recheckEvery = 50;

/**
 * Which runs are settled, kept in a file of this machine: without it a sweep of very many runs would open each of them.
 * It may be deleted at any time, which costs one more look at everything.
 */
export class RunIndex {
  readonly #path: string;
  readonly #lines: Map<string, string>;
  readonly #sweeps: number;
  #appended: number;

  private constructor(path: string, lines: Map<string, string>, sweeps: number, appended: number) {
    this.#path = path;
    this.#lines = lines;
    this.#sweeps = sweeps;
    this.#appended = appended;
  }

  /** Opens the index of what lies below `root`, in a folder for indexes. */
  static async open(indexDir: string, root: string): Promise<RunIndex> {
    const name = createHash('sha256').update(root).digest('hex').slice(0, 16);
    const path = join(indexDir, `runs-${name}.tsv`);
    const text = (await unlessMissing(readFile(path, 'utf8'))) ?? '';
    const lines = new Map<string, string>();
    let count = 0;
    let sweeps = 0;
    for (const line of text.split('\n')) {
      const tab = line.indexOf('\t');
      if (tab <= 0) {
        if (line === sweepMark) sweeps += 1;
        continue;
      }
      count += 1;
      lines.set(line.slice(0, tab), line.slice(tab + 1));
    }
    return new RunIndex(path, lines, sweeps, count);
  }

  get size(): number {
    return this.#lines.size;
  }

  /** Undefined for a folder that is not settled, or whose entry cannot be read. */
  entry(folder: string): IndexEntry | undefined {
    const line = this.#lines.get(folder);
    return line === undefined ? undefined : parseEntry(line);
  }

  /** Whether a folder may be passed over without a look; one sweep in fifty looks at each of them. */
  isSettled(folder: string): boolean {
    const line = this.#lines.get(folder);
    if (line === undefined) return false;
    return shareOf(folder) !== this.#sweeps % recheckEvery;
  }

  /** Whether the log that lies there is still the one that was settled. */
  async isUnchanged(folder: string, log: string): Promise<boolean> {
    const entry = this.entry(folder);
    const found = entry && (await unlessMissing(stat(log)));
    return found !== undefined && found.size === entry?.size && found.mtimeMs === entry.mtimeMs;
  }

  quarantined(): { folder: string; entry: IndexEntry }[] {
    return [...this.#lines].flatMap(([folder, line]) => {
      if (!line.startsWith('quarantined')) return [];
      const entry = parseEntry(line);
      return entry === undefined ? [] : [{ folder, entry }];
    });
  }

  async settle(
    folder: string,
    log: string,
    entry: Pick<IndexEntry, 'status' | 'reason' | 'cure'>,
  ): Promise<void> {
    const found = await unlessMissing(stat(log));
    if (found === undefined || /[\t\n]/.test(folder)) return;
    const texts = [entry.reason, entry.cure].map((text) => text.replaceAll(/\s+/g, ' '));
    const line = [entry.status, found.size, found.mtimeMs, ...texts].join('\t');
    this.#lines.set(folder, line);
    this.#appended += 1;
    await this.#append(`${folder}\t${line}\n`);
  }

  /** Ends a sweep: the next one looks at another share of the settled folders. Rewrites the file when much in it is old. */
  async endSweep(): Promise<void> {
    if (this.#appended < 2 * this.#lines.size + 1000) return this.#append(`${sweepMark}\n`);
    const marks = `${sweepMark}\n`.repeat((this.#sweeps + 1) % recheckEvery);
    const lines = [...this.#lines].map(([folder, line]) => `${folder}\t${line}\n`);
    await mkdir(dirname(this.#path), { recursive: true });
    await writeFileAtomic(this.#path, marks + lines.join(''));
    this.#appended = this.#lines.size;
  }

  async #append(text: string): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true });
    await appendFile(this.#path, text);
  }
}

const sweepMark = '# sweep';

function parseEntry(line: string): IndexEntry | undefined {
  const [status, size, mtimeMs, reason = '', cure = ''] = line.split('\t');
  if (status !== 'acknowledged' && status !== 'quarantined') return undefined;
  return { status, size: Number(size), mtimeMs: Number(mtimeMs), reason, cure };
}

/** Spreads folders evenly over the sweeps, the same way each time. */
function shareOf(folder: string): number {
  let hash = 0;
  for (let index = 0; index < folder.length; index += 1) hash = (hash * 31 + folder.charCodeAt(index)) | 0;
  return Math.abs(hash) % recheckEvery;
}
