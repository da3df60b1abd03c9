import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { copyLogWithoutRows } from '../../../infra/wandb/copy-log.ts';
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
      run: {
        runId: 'warmup-a1-s0-tok',
        entity: 'lab',
        project: 'digits',
        group: 'warmup',
        displayName: expect.any(String),
        tags: ['hephaestus', 'experiment:warmup'],
      },
      rows,
      lastStep: rows - 1,
      exit: { code: 0, runtimeSeconds: expect.any(Number) },
      producer: expect.stringMatching(/^0\./),
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

describe('copyLogWithoutRows', () => {
  it('writes the same bytes when nothing is left out', async () => {
    const copy = join(folder, 'whole.wandb');
    await copyLogWithoutRows(log, copy, 0);
    expect((await readFile(copy)).equals(bytes)).toBe(true);
  });

  it('leaves out the first rows and nothing else', async () => {
    const copy = join(folder, 'rest.wandb');
    await copyLogWithoutRows(log, copy, 11);
    const whole = await readTransactionLog(log);
    expect(await readTransactionLog(copy)).toEqual({ ...whole, rows: rows - 11 });
  });
});
