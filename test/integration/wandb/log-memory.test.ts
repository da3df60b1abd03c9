import { cp, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';

import { createSyncAgent } from '../../../infra/wandb/create-sync-agent.ts';
import { treeText } from '../../../infra/wandb/item-tree.ts';
import { LogMemory } from '../../../infra/wandb/log-memory.ts';
import { mirrorRows, mirrorStart } from '../../../infra/wandb/mirror-rows.ts';
import { readTransactionLog } from '../../../infra/wandb/transaction-log.ts';
import { createWandbWriter } from '../../../infra/wandb/wandb-writer.ts';
import { logPath, record, startWorld, type World } from './world.ts';

const steps = 40;
const signal = new AbortController().signal;
let recordings: string;
let recorded: string;
let world: World;
let root: string;
beforeAll(async () => {
  recordings = await mkdtemp(join(tmpdir(), 'hephaestus-test-'));
  const folder = await record(recordings, { steps, bytes: 5_000 }, inject('tools').wandb, 'one');
  recorded = dirname(await logPath(folder));
});
afterAll(() => rm(recordings, { recursive: true, force: true }));
beforeEach(async () => {
  world = await startWorld();
  root = join(world.root, 'runs');
});
afterEach(() => world.close());

async function place(): Promise<string> {
  const target = join(root, 'wandb', 'offline-run-20260101_000000-one');
  await cp(recorded, target, { recursive: true });
  return join(target, 'run-one.wandb');
}

async function round(home: string, patienceMs: number) {
  const agent = await createSyncAgent({
    settings: world.settings,
    syncCommand: [inject('tools').wandb, 'sync'],
    environment: { PATH: '/usr/bin:/bin' },
    roots: [root],
    home,
    parallel: 2,
    silentMs: 3_600_000,
    timing: { patienceMs, pollMs: 50 },
    signal,
    onRun: () => undefined,
  });
  return agent.round();
}

/** What is remembered of a log is what one reading tells; undefined when nothing is. */
async function both(log: string, memory: LogMemory) {
  const known = await memory.recall(log);
  const { summary, ...facts } = await readTransactionLog(log);
  if (known === undefined) return undefined;
  const { summary: remembered, ...found } = known.log;
  expect({ ...found, summary: treeText(remembered) }).toEqual({ ...facts, summary: treeText(summary) });
  return known;
}

describe('LogMemory', () => {
  it('knows of a log that grew in any portions what one reading tells', async () => {
    const log = await place();
    const bytes = await readFile(log);
    const memory = new LogMemory(join(world.root, 'memory'));
    expect(await memory.recall(log)).toBeUndefined();
    for (let length = 7; length < bytes.length + 9_001; length += 9_001) {
      await writeFile(log, bytes.subarray(0, length));
      // Each other reading is by a process of its own.
      await new LogMemory(join(world.root, 'memory')).learn(log);
      await both(log, memory);
    }
    const known = await both(log, memory);
    expect(known?.log).toMatchObject({ rows: steps, exit: { code: 0 }, end: { status: 'complete' } });
  });

  it('has what it put aside on the disk itself before it relies on it', async () => {
    const log = await place();
    const folder = join(world.root, 'memory');
    const file = await open(log);
    const fileHandle = Object.getPrototypeOf(file) as typeof file;
    await file.close();
    const entriesAtSync: number[] = [];
    const datasync = vi.spyOn(fileHandle, 'datasync').mockImplementation(async () => {
      entriesAtSync.push((await readdir(folder)).filter((name) => name.endsWith('.json')).length);
    });
    try {
      const memory = new LogMemory(folder);
      await memory.learn(log);
      expect(entriesAtSync).toEqual([0]);
      // Nothing new, nothing to wait for.
      await memory.learn(log);
      expect(entriesAtSync).toHaveLength(1);
    } finally {
      datasync.mockRestore();
    }
  });

  it('forgets a log that was put there anew, one that is gone, and what it cannot read', async () => {
    const log = await place();
    const folder = join(world.root, 'memory');
    const memory = new LogMemory(folder);
    await memory.learn(log);
    const bytes = await readFile(log);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 0xff, bytes.length - 1);
    await writeFile(log, bytes);
    expect(await memory.recall(log)).toBeUndefined();
    await memory.learn(log);
    const [entry = ''] = (await readdir(folder)).filter((name) => name.endsWith('.json'));
    await writeFile(join(folder, entry), '{');
    expect(await memory.recall(log)).toBeUndefined();
    await memory.learn(log);
    await rm(log);
    await memory.prune();
    expect(await readdir(folder)).toEqual([]);
  });

  it('does not stand in the way when what it put aside was damaged: the next try reads the log anew', async () => {
    const log = await place();
    const home = join(world.root, 'home');
    const folder = join(home, 'wandb-index', 'logs');
    await mirrorRows({
      writer: createWandbWriter(world.settings),
      path: { entity: 'lab', project: 'digits', runId: 'one' },
      logs: [log],
      cursor: mirrorStart,
      mostBytes: Infinity,
      memory: new LogMemory(folder),
      signal,
    });
    const [rest = ''] = (await readdir(folder)).filter((name) => name.endsWith('.rest'));
    const bytes = await readFile(join(folder, rest));
    await writeFile(join(folder, rest), bytes.fill(0x55, 7));
    await round(home, 500);
    expect(await readdir(folder)).toEqual([]);
    const { runs } = await round(home, 4_000);
    expect(runs).toMatchObject([{ status: 'acknowledged', rows: steps }]);
  });
});
