import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

import writeFileAtomic from 'write-file-atomic';

/**
 * Lines that are set by their index, as `file_stream` does: in memory, and on disk. New lines at the end are appended;
 * everything else writes the file anew. A last line that was cut short by a crash is dropped when reading.
 */
export class LineFile {
  readonly #path: string;
  readonly #lines: string[];

  private constructor(path: string, lines: string[]) {
    this.#path = path;
    this.#lines = lines;
  }

  static async open(path: string): Promise<LineFile> {
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
      throw error;
    });
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const file = new LineFile(path, whole === '' ? [] : whole.slice(0, -1).split('\n'));
    if (whole !== text) await writeFileAtomic(path, whole);
    return file;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  async set(offset: number, content: readonly string[]): Promise<void> {
    const flat = content.map((line) => line.replaceAll('\n', ' '));
    const appends = offset === this.#lines.length;
    while (this.#lines.length < offset) this.#lines.push('');
    this.#lines.splice(offset, flat.length, ...flat);
    if (flat.length === 0) return;
    await mkdir(dirname(this.#path), { recursive: true });
    if (appends) await appendFile(this.#path, `${flat.join('\n')}\n`);
    else await writeFileAtomic(this.#path, `${this.#lines.join('\n')}\n`);
  }
}
