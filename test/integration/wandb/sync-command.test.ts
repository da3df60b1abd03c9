import { cp, mkdir, mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { execa } from 'execa';
import { lock } from 'proper-lockfile';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';

import { storedRows } from '../../support/stored-rows.ts';
import { logPath, record, startWorld, type World } from './world.ts';

const cli = join(import.meta.dirname, '..', '..', '..', 'client', 'cli', 'index.ts');
const steps = 12;
let recordings: string;
let recorded: string;
let world: World;
let root: string;
beforeAll(async () => {
  recordings = await mkdtemp(join(tmpdir(), 'hephaestus-test-'));
  const folder = await record(recordings, { steps, bytes: 4_000 }, inject('tools').wandb, 'one');
  recorded = dirname(await logPath(folder));
});
afterAll(() => rm(recordings, { recursive: true, force: true }));
beforeEach(async () => {
  world = await startWorld();
  root = join(world.root, 'runs');
  await mkdir(root);
});
afterEach(() => world.close());

async function place(): Promise<string> {
  const target = join(root, 'wandb', 'offline-run-20260101_000000-one');
  await cp(recorded, target, { recursive: true });
  return join(target, 'run-one.wandb');
}

/** The command as a process of its own, in an empty folder, with nothing of this process's environment. */
function sync(args: readonly string[], change: Readonly<Record<string, string>> = {}) {
  return execa(process.execPath, [cli, 'sync', ...args], {
    cwd: world.root,
    extendEnv: false,
    reject: false,
    env: {
      PATH: '/usr/bin:/bin',
      HOME: world.root,
      HEPHAESTUS_HOME: join(world.root, 'home'),
      WANDB_BASE_URL: world.server.url,
      WANDB_API_KEY: world.settings.apiKey,
      ...change,
    },
  });
}

const onServer = () => world.client.run({ entity: 'lab', project: 'digits', runId: 'one' });
const waiting = { timeout: 60_000, interval: 200 };

describe('hephaestus sync', () => {
  it('brings a run up and tells so for programs; a second time it has nothing to do', async () => {
    await place();
    const first = await sync([root, '--json']);
    expect(first.exitCode, first.stderr).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({
      runs: [{ name: 'one', status: 'acknowledged', rows: steps }],
      settled: 0,
      open: 0,
    });
    expect(await onServer()).toMatchObject({ rows: steps, state: 'finished' });
    const second = await sync([root, '--json']);
    expect(second.exitCode).toBe(0);
    expect(JSON.parse(second.stdout)).toEqual({ runs: [], settled: 1, open: 0 });
    expect(await storedRows(join(world.root, 'server'))).toHaveLength(steps);
  });

  it('ends by the truth: a run that is not whole on the server is not done, and the cure is told', async () => {
    const log = await place();
    await world.fault({ kind: 'delete-run', entity: 'lab', project: 'digits', runId: 'one' });
    const deleted = await sync([root]);
    expect(deleted.exitCode).toBe(1);
    expect(deleted.stdout).toContain('quarantined');
    expect(deleted.stdout).toContain('wandb sync --id');
    expect(JSON.stringify(await readdir(dirname(log)))).not.toContain('.synced');
  });

  it('says at once that the key is refused, and never shows it', async () => {
    await place();
    const key = 'wrong-key-that-is-long-enough-to-be-sent-at-all';
    const refused = await sync([root, '--json'], { WANDB_API_KEY: key });
    expect(refused.exitCode, refused.stderr).toBe(4);
    expect(JSON.parse(refused.stdout)).toMatchObject({
      error: { message: expect.stringContaining('WANDB_API_KEY') },
    });
    expect(refused.stdout + refused.stderr).not.toContain(key);
  });

  it('tells a server that is away from a run that is wrong', async () => {
    await place();
    const away = await sync([root], { WANDB_BASE_URL: 'http://127.0.0.1:9' });
    expect(away.exitCode, away.stderr).toBe(5);
  });

  it('does not touch a run that another process brings up', async () => {
    const log = await place();
    const release = await lock(log, { realpath: false, stale: 15_000 });
    try {
      const held = await sync([root, '--json']);
      expect(held.exitCode).toBe(1);
      expect(JSON.parse(held.stdout)).toMatchObject({ runs: [{ status: 'pending' }], open: 1 });
      expect(held.stdout).toContain('Another process');
      expect(await onServer()).toBeNull();
    } finally {
      await release();
    }
    expect((await sync([root])).exitCode).toBe(0);
  });

  it('refuses a folder that is not there', async () => {
    const missing = await sync([join(root, 'nowhere')]);
    expect(missing.exitCode).toBe(2);
    expect(missing.stderr).toContain('nowhere');
  });
});

describe('hephaestus sync --watch', () => {
  it('shows a run grow, ends with 130 when interrupted, and goes on where it was when it comes back', async () => {
    const log = await place();
    await truncate(log, 33_000);
    const watching = sync([root, '--watch']);
    // The run is there a moment before its first rows.
    await vi.waitFor(async () => {
      const { state, rows = 0 } = (await onServer()) ?? {};
      expect([state, rows > 2]).toEqual(['running', true]);
    }, waiting);
    watching.kill('SIGINT');
    expect((await watching).exitCode).toBe(130);
    await cp(join(recorded, 'run-one.wandb'), log);
    const again = sync([root, '--watch']);
    await vi.waitFor(
      async () => expect(await onServer()).toMatchObject({ rows: steps, state: 'finished' }),
      waiting,
    );
    again.kill('SIGTERM');
    await again;
    const lines = await storedRows(join(world.root, 'server'));
    expect(lines.map((line) => /"_step":(\d+)/.exec(line)?.[1])).toEqual(
      [...Array(steps).keys()].map(String),
    );
  });
});
