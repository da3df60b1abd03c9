import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { copyClosed, copyRest } from '../../../infra/wandb/copy-rest.ts';
import { treeText } from '../../../infra/wandb/item-tree.ts';
import { readRows } from '../../../infra/wandb/read-rows.ts';
import { readLogRecords } from '../../../infra/wandb/log-records.ts';
import { readTransactionLog } from '../../../infra/wandb/transaction-log.ts';
import { logPath, record } from './world.ts';

const rows = 30;
let folder: string;
/** A log of the real client with rows of several kilobytes, so that records run over the edges of blocks. */
let log: string;
let bytes: Buffer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hephaestus-test-'));
  log = await logPath(await record(folder, { steps: rows, bytes: 4_000 }));
  bytes = await readFile(log);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function readBytes(content: Buffer) {
  const path = join(folder, 'changed.wandb');
  await writeFile(path, content);
  return readTransactionLog(path);
}

describe('readTransactionLog', () => {
  it('reads what the real client wrote', async () => {
    expect(bytes.length).toBeGreaterThan(3 * 32_768);
    expect(await readTransactionLog(log)).toEqual({
      run: expect.objectContaining({
        runId: 'warmup-a1-s0-tok',
        entity: 'lab',
        project: 'digits',
        group: 'warmup',
        displayName: expect.any(String),
        tags: ['hephaestus', 'experiment:warmup'],
      }),
      rows,
      lastStep: rows - 1,
      exit: { code: 0, runtimeSeconds: expect.any(Number) },
      summary: expect.any(Map),
      files: ['requirements.txt'],
      producer: expect.stringMatching(/^0\./),
      records: expect.any(Number),
      position: bytes.length,
      end: { status: 'complete' },
    });
  });

  it('tells a run that was killed by its missing exit record', async () => {
    const killed = await logPath(await record(folder, { kill: true, steps: 30, bytes: 4_000 }));
    const read = await readTransactionLog(killed);
    expect(read.exit).toBeNull();
    expect(read.rows).toBeLessThanOrEqual(30);
  });

  it('claims no more than is there, wherever the file is cut', async () => {
    let before = 0;
    for (let length = 0; length < bytes.length; length += 997) {
      const read = await readBytes(bytes.subarray(0, length));
      expect(read.end.status, `cut at ${length}`).not.toBe('corrupt');
      expect(read.rows).toBeGreaterThanOrEqual(before);
      expect(read.lastStep).toBe(read.rows === 0 ? null : read.rows - 1);
      expect(read.exit).toBeNull();
      before = read.rows;
    }
    expect(before).toBeGreaterThan(rows - 3);
  });

  it('finds a changed byte wherever it is, and keeps what stands before it', async () => {
    for (let position = 0; position < bytes.length; position += 701) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(position) ^ 0x55, position);
      const read = await readBytes(changed);
      expect(read.rows, `changed at ${position}`).toBeLessThanOrEqual(rows);
      expect(read.end.status, `changed at ${position}`).not.toBe('complete');
      // A length that was changed may point behind the end: then the file looks cut.
      if (read.end.status !== 'complete') expect(read.end.offset).toBeLessThanOrEqual(position);
    }
  });

  it('takes nothing for a log that is none', async () => {
    expect(await readBytes(Buffer.from(''))).toMatchObject({
      run: null,
      rows: 0,
      end: { status: 'truncated', offset: 0 },
    });
    expect(await readBytes(Buffer.from('hello, world'))).toMatchObject({
      rows: 0,
      end: { status: 'corrupt', offset: 0 },
    });
    expect(await readBytes(bytes.subarray(0, 7))).toMatchObject({ run: null, end: { status: 'complete' } });
    await expect(readTransactionLog(join(folder, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('copyClosed', () => {
  it('writes the same bytes where nothing is to be added', async () => {
    const copy = join(folder, 'whole.wandb');
    await copyClosed(log, copy, { code: 5, runtimeSeconds: 1 });
    expect((await readFile(copy)).equals(bytes)).toBe(true);
  });

  it('closes a log that was cut, with what is sound of it', async () => {
    const [cut, copy] = [join(folder, 'cut.wandb'), join(folder, 'closed.wandb')];
    await writeFile(cut, bytes.subarray(0, 90_000));
    await copyClosed(cut, copy, { code: 5, runtimeSeconds: 7.6 });
    const { rows: sound } = await readTransactionLog(cut);
    expect(sound).toBeGreaterThan(5);
    expect(await readTransactionLog(copy)).toMatchObject({
      rows: sound,
      exit: { code: 5, runtimeSeconds: 8 },
      end: { status: 'complete' },
    });
  });
});

describe('copyRest', () => {
  it('leaves out the rows, keeps the outcome of the summary and everything else', async () => {
    const copy = join(folder, 'rest.wandb');
    await copyRest(log, copy, { code: 5, runtimeSeconds: 1 });
    const whole = await readTransactionLog(log);
    const rest = await readTransactionLog(copy);
    expect(rest).toMatchObject({
      rows: 0,
      lastStep: null,
      run: whole.run,
      exit: whole.exit,
      files: whole.files,
    });
    expect(JSON.parse(treeText(rest.summary))).toEqual(JSON.parse(treeText(whole.summary)));
    expect(JSON.parse(treeText(rest.summary))).toMatchObject({ _step: rows - 1 });
  });
});

async function rowsFrom(path: string, from: number) {
  const found: { line: string; end: number }[] = [];
  const reader = readRows(path, from);
  for (;;) {
    const next = await reader.next();
    if (next.done === true) return { found, ...next.value };
    found.push(next.value);
  }
}

describe('readRows', () => {
  it('goes on from the end of any row, and gives each row as the server stores it', async () => {
    const all = await rowsFrom(log, 0);
    expect(all.found.map(({ line }) => JSON.parse(line)['_step'])).toEqual([...Array(rows).keys()]);
    expect(all.exited).toBe(true);
    for (const [index, row] of all.found.entries()) {
      expect((await rowsFrom(log, row.end)).found).toEqual(all.found.slice(index + 1));
    }
  });

  it('finds each row once in a file that grows by any number of bytes', async () => {
    const growing = join(folder, 'growing.wandb');
    const seen: string[] = [];
    let position = 0;
    for (let length = 0; length <= bytes.length + 611; length += 611) {
      await writeFile(growing, bytes.subarray(0, length));
      const { found, end } = await rowsFrom(growing, position);
      expect(end.status).not.toBe('corrupt');
      seen.push(...found.map(({ line }) => line));
      position = found.at(-1)?.end ?? position;
    }
    expect(seen).toEqual((await rowsFrom(log, 0)).found.map(({ line }) => line));
  });

  it('reads a log that is cut at each byte of its last two records as far as it is sound', async () => {
    const ends: number[] = [];
    for await (const { end } of readLogRecords(log)) ends.push(end);
    const whole = await rowsFrom(log, 0);
    const cut = join(folder, 'cut-anywhere.wandb');
    for (let length = ends.at(-3) ?? 0; length < bytes.length; length += 1) {
      await writeFile(cut, bytes.subarray(0, length));
      const read = await readTransactionLog(cut);
      const atEdge = ends.includes(length);
      expect(read.end.status, `cut at ${length}`).toBe(atEdge ? 'complete' : 'truncated');
      expect(read.exit).toBeNull();
      expect((await rowsFrom(cut, 0)).found).toEqual(whole.found.filter(({ end }) => end <= length));
    }
  });
});
