import { open } from 'node:fs/promises';
import { stripVTControlCharacters } from 'node:util';

import { unlessMissing } from '../../infra/unless-missing.ts';

/** More of the end of a log than this is never read for its last lines, bytes. */
const longestTail = 1024 * 1024;

export interface LogPart {
  readonly lines: readonly string[];
  /** Where the next look goes on, bytes. */
  readonly offset: number;
}

/** The last lines of a log; none where there is no file yet. */
export async function readTail(path: string, count: number): Promise<LogPart> {
  const part = await readFrom(path, (size) => Math.max(0, size - longestTail), false);
  return { ...part, lines: count === 0 ? [] : part.lines.slice(-count) };
}

/**
 * The lines that came since `offset`; from the beginning when the file is shorter than that by now. `wholeLines`: one that
 * is still being written is left for the next look.
 */
export async function readOn(path: string, offset: number, wholeLines: boolean): Promise<LogPart> {
  return readFrom(path, (size) => (size < offset ? 0 : offset), wholeLines);
}

async function readFrom(path: string, from: (size: number) => number, wholeLines: boolean): Promise<LogPart> {
  const file = await unlessMissing(open(path));
  if (file === undefined) return { lines: [], offset: 0 };
  try {
    const { size } = await file.stat();
    const start = from(size);
    const buffer = Buffer.alloc(Math.min(size - start, longestTail));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
    const bytes = buffer.subarray(0, bytesRead);
    const end = wholeLines && bytesRead < longestTail ? bytes.lastIndexOf(0x0a) + 1 : bytesRead;
    const text = bytes.subarray(0, end).toString();
    return { lines: linesOf(text), offset: start + end };
  } finally {
    await file.close();
  }
}

/** Of a line that a progress bar wrote again and again its last state; nothing that would move a cursor. */
function linesOf(text: string): string[] {
  if (text === '') return [];
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => {
      const last = line.replace(/\r+$/, '').split('\r').at(-1) ?? '';
      // oxlint-disable-next-line no-control-regex -- finding them is the purpose
      return stripVTControlCharacters(last).replaceAll(/[\u0000-\u0008\u000B-\u001F\u007F]/g, '');
    });
}
