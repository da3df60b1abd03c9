import { cp, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';

import { createSyncAgent } from '../../../infra/wandb/create-sync-agent.ts';
import { logPath, record, startWorld, type World } from './world.ts';

const ids = ['a', 'b', 'c', 'd'] as const;
type Id = (typeof ids)[number];
let recordings: string;
/** A recorded run folder for each id. */
let folders: Readonly<Record<Id, string>>;
let world: World;
let root: string;
beforeAll(async () => {
  recordings = await mkdtemp(join(tmpdir(), 'hephaestus-test-'));
  const made: [Id, string][] = [];
  for (const id of ids) {
    const folder = await record(recordings, { steps: 12, bytes: 4_000 }, inject('tools').wandb, id);
    made.push([id, dirname(await logPath(folder))]);
  }
  folders = Object.fromEntries(made) as Record<Id, string>;
});
afterAll(() => rm(recordings, { recursive: true, force: true }));
beforeEach(async () => {
  world = await startWorld();
  root = join(world.root, 'runs');
});
afterEach(() => world.close());

async function place(id: Id, where = '.'): Promise<string> {
  const target = join(root, where, 'wandb', `offline-run-20260101_000000-${id}`);
  await cp(folders[id], target, { recursive: true });
  return target;
}

const logOf = (folder: string, id: Id): string => join(folder, `run-${id}.wandb`);
const onServer = (runId: string) => world.client.run({ entity: 'lab', project: 'digits', runId });

function agentWith(change: { apiKey?: string; silentMs?: number } = {}) {
  return createSyncAgent({
    settings: { ...world.settings, ...(change.apiKey !== undefined && { apiKey: change.apiKey }) },
    syncCommand: [inject('tools').wandb, 'sync'],
    environment: { PATH: '/usr/bin:/bin' },
    roots: [root],
    home: join(world.root, 'home'),
    parallel: 2,
    silentMs: change.silentMs ?? 3_600_000,
    timing: { patienceMs: 4_000, pollMs: 50 },
    signal: new AbortController().signal,
    onRun: () => undefined,
  });
}

async function statuses(round: { runs: readonly { name: string; status: string }[] }) {
  return Object.fromEntries(round.runs.map(({ name, status }) => [name, status]));
}

describe('SyncAgent', () => {
  it('brings all runs up, each whole and once, and does not open them again', async () => {
    for (const id of ids) await place(id, `group-${id}`);
    const round = await (await agentWith()).round();
    expect(await statuses(round)).toEqual(Object.fromEntries(ids.map((id) => [id, 'acknowledged'])));
    const again = await (await agentWith()).round();
    expect(again).toEqual({ runs: [], settled: 4 });
    for (const id of ids) expect(await onServer(id)).toMatchObject({ rows: 12, state: 'finished' });
  });

  it('keeps a deleted, a damaged and an empty run apart without holding up the others', async () => {
    await world.fault({ kind: 'delete-run', entity: 'lab', project: 'digits', runId: 'a' });
    const [, damaged, empty] = [await place('a'), await place('b'), await place('c'), await place('d')];
    const bytes = await readFile(logOf(damaged, 'b'));
    bytes.writeUInt8(bytes.readUInt8(20_000) ^ 0xff, 20_000);
    await writeFile(logOf(damaged, 'b'), bytes);
    await truncate(logOf(empty, 'c'), 0);
    const round = await (await agentWith({ silentMs: 0 })).round();
    expect(await statuses(round)).toEqual({
      a: 'quarantined',
      b: 'quarantined',
      c: 'quarantined',
      d: 'acknowledged',
    });
    for (const { status, reason, cure } of round.runs) {
      expect(reason).not.toBe('');
      expect(cure === '').toBe(status === 'acknowledged');
    }
    // They stay in sight, and are not tried again.
    const again = await (await agentWith({ silentMs: 0 })).round();
    expect(again.runs.map(({ status }) => status)).toEqual(['quarantined', 'quarantined', 'quarantined']);
  });

  it('mirrors a living run, and brings it up when it has stood still for long enough', async () => {
    const folder = await place('a');
    await truncate(logOf(folder, 'a'), 33_000);
    const living = await agentWith();
    expect(await statuses(await living.round())).toEqual({ a: 'mirroring' });
    const { rows = 0 } = (await onServer('a')) ?? {};
    expect(rows).toBeGreaterThan(2);
    expect(await onServer('a')).toMatchObject({ state: 'running' });
    expect(await statuses(await (await agentWith({ silentMs: 0 })).round())).toEqual({ a: 'acknowledged' });
    expect(await onServer('a')).toMatchObject({ rows, state: 'failed' });
  });

  it('takes a copy by hand for what it is, and does not mix another run with the same id in', async () => {
    await place('a');
    await place('a', 'copied');
    const rival = join(root, 'other', 'wandb', 'offline-run-20260101_000000-a');
    const other = await record(recordings, { steps: 5 }, inject('tools').wandb, 'a');
    await cp(dirname(await logPath(other)), rival, { recursive: true });
    const { runs } = await (await agentWith()).round();
    expect(runs.map(({ status }) => status).toSorted()).toEqual(['acknowledged', 'quarantined']);
    expect(runs.find(({ status }) => status === 'quarantined')?.folders).toEqual([rival]);
    expect(await onServer('a')).toMatchObject({ rows: 12 });
  });

  it('stops at once when the key is refused', async () => {
    for (const id of ids) await place(id);
    const refused = (await agentWith({ apiKey: 'wrong-key-that-is-long-enough-to-be-sent-at-all' })).round();
    await expect(refused).rejects.toMatchObject({ type: 'WandbUnauthorized' });
    expect(await onServer('a')).toBeNull();
  });

  it('looks at a settled run again when its log has changed', async () => {
    const folder = await place('a');
    await (await agentWith()).round();
    await mkdir(join(folder, 'more'));
    await rm(join(world.root, 'home'), { recursive: true });
    const { runs } = await (await agentWith()).round();
    expect(runs).toMatchObject([{ status: 'acknowledged', rows: 12 }]);
    expect(await onServer('a')).toMatchObject({ rows: 12 });
  });
});
