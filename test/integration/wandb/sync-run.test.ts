import { mkdir, mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';

import type { Results } from '../../../domain/evidence.ts';
import type { ResultsInput, SyncedRun, SyncInput } from '../../../activities/wandb/interface.ts';
import { startWandbStandIn } from '../../../infra/lab/wandb/start-wandb-stand-in.ts';
import { copyRest } from '../../../infra/wandb/copy-rest.ts';
import { createWandbClient } from '../../../infra/wandb/create-wandb-client.ts';
import { storedRows } from '../../support/stored-rows.ts';
import {
  activityEnvironment,
  logPath,
  record,
  runPath as path,
  settingsOf,
  startWorld,
  syncInput,
  type World,
} from './world.ts';

let world: World;
let recordings: string;
/** Attempt folders with one recorded run each: 12 rows; 12 rows of which one is NaN, ended with code 3; 40 large rows. */
let good: string;
let failed: string;
let large: string;
beforeAll(async () => {
  recordings = await mkdtemp(join(tmpdir(), 'hephaestus-test-'));
  [good, failed, large] = await Promise.all([
    record(recordings, {}),
    record(recordings, { nan: [4], exit: 3 }),
    record(recordings, { steps: 40, bytes: 5_000 }),
  ]);
});
afterAll(() => rm(recordings, { recursive: true, force: true }));
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

/** Holds the client in the middle of its work. */
const rateLimit = {
  kind: 'status',
  on: 'graphql',
  operation: 'UpsertBucket',
  status: 429,
  retryAfterSeconds: 30,
};
const waiting = { timeout: 15_000, interval: 50 };

const sync = (activities = world.activities): Promise<SyncedRun> =>
  activityEnvironment().run((input: SyncInput) => activities.syncRun(input), syncInput);

describe('syncRun', () => {
  it('brings a run to the server, adds nothing on a repeat, and leads to results', async () => {
    await world.place(good);
    const synced = await sync();
    expect(synced).toEqual({
      ...path,
      url: `${world.server.url}/lab/digits/runs/${path.runId}`,
      rows: 12,
      lastStep: 11,
    });
    expect(await sync()).toEqual(synced);
    expect(await world.client.run(path)).toMatchObject({ rows: 12, state: 'finished', group: 'warmup' });

    const input: ResultsInput = {
      runs: [{ ...synced, seed: 0 }],
      metric: { name: 'val/loss', goal: 'minimize' },
      baseline: null,
    };
    const results: Results = await activityEnvironment().run(
      (given: ResultsInput) => world.activities.readResults(given),
      input,
    );
    const [run] = results.runs;
    expect(run?.value).toBeCloseTo(Math.exp(-1.1), 15);
    expect(run?.curve.step).toEqual([...Array(12).keys()]);
    expect(run?.curve.value.slice(3, 6)).toEqual([0.740818, 0.67032, 0.606531]);
  });

  it('sends only what is missing when the upload was cut short, and the rest of the run with it', async () => {
    await world.place(good);
    await world.fault({ kind: 'status', on: 'file_stream', status: 400 });
    await expect(sync()).rejects.toMatchObject({ type: 'WandbNotAcknowledged', nonRetryable: false });
    await postRows(5);
    expect(await world.client.run(path)).toMatchObject({ rows: 5, state: 'running' });
    expect(await sync()).toMatchObject({ rows: 12, lastStep: 11 });
    const history = await world.history('val/loss');
    expect(history.map(({ step }) => step)).toEqual([...Array(12).keys()]);
    expect(await world.client.run(path)).toMatchObject({
      state: 'finished',
      summary: { 'val/loss': expect.closeTo(Math.exp(-1.1), 12) },
    });
  });

  it('waits for a server that counts late instead of sending twice', async () => {
    await world.place(good);
    await world.fault({ kind: 'late-count', seconds: 1 });
    expect(await sync()).toMatchObject({ rows: 12 });
    expect(await sync()).toMatchObject({ rows: 12 });
    const lines = await rowsThere();
    expect(lines).toBe(12);
  });

  it('takes a failed run as it is, with its NaN as a gap', async () => {
    await world.place(failed);
    expect(await sync()).toMatchObject({ rows: 12 });
    expect(await world.client.run(path)).toMatchObject({ state: 'failed' });
    const history = await world.history('val/loss');
    expect(history[4]).toEqual({ step: 4, value: null });
  });

  it('takes what a killed run has left, and a log that stops in the middle', async () => {
    await world.place(large);
    const log = await logPath(world.attempt);
    await truncate(log, 150_000);
    const synced = await sync();
    expect(synced.rows).toBeGreaterThan(5);
    expect(synced.rows).toBeLessThan(40);
    expect(synced.lastStep).toBe(synced.rows - 1);
    expect(await sync()).toEqual(synced);
  });

  it('survives a restart of the server', async () => {
    await world.place(good);
    await sync();
    await world.server.close();
    const again = await startWandbStandIn({ directory: join(world.root, 'server') });
    try {
      const settings = settingsOf(again.url, again.settings['WANDB_API_KEY'] ?? '');
      expect(settings.apiKey).toBe(world.settings.apiKey);
      expect(await createWandbClient(settings).run(path)).toMatchObject({ rows: 12, state: 'finished' });
      const page = await (await fetch(`${again.url}/lab/digits/runs/${path.runId}`)).text();
      expect(page).toContain('<svg');
      expect(page).toContain('val/loss');
    } finally {
      await again.close();
    }
  });

  it('kills the whole process group on cancellation', async () => {
    await world.place(good);
    await world.fault(rateLimit);
    const environment = activityEnvironment();
    const running = environment.run((input: SyncInput) => world.activities.syncRun(input), syncInput);
    const ended = expect(running).rejects.toMatchObject({ name: 'CancelledFailure' });
    await vi.waitFor(async () => expect((await syncProcesses()).join('\n')).toContain('wandb-core'), waiting);
    environment.cancel();
    await ended;
    // Not a moment later: the next try may begin at once.
    expect(await syncProcesses()).toHaveLength(0);
  });
});

describe('wandb sync', () => {
  it('dies with the process that began it', async () => {
    await world.place(good);
    await world.fault(rateLimit);
    const options = {
      command: [inject('tools').wandb, 'sync'],
      logFiles: [await logPath(world.attempt)],
      entity: path.entity,
      project: path.project,
      settings: world.settings,
      environment: { PATH: '/usr/bin:/bin' },
      scratch: join(world.root, 'scratch'),
      timeoutMs: 60_000,
    };
    const begin = `
      import { syncRun } from ${JSON.stringify(import.meta.resolve('../../../infra/wandb/sync-run.ts'))};
      await syncRun({ ...${JSON.stringify(options)}, signal: new AbortController().signal });`;
    const worker = execa(process.execPath, ['--input-type=module', '-e', begin], { reject: false });
    await vi.waitFor(async () => expect((await syncProcesses()).join('\n')).toContain('wandb-core'), waiting);
    worker.kill('SIGKILL');
    await worker;
    await vi.waitFor(async () => expect(await syncProcesses()).toHaveLength(0), waiting);
  });
});

describe('syncRun, when it cannot', () => {
  it.each([
    ['nothing was begun', async () => mkdir(world.attempt, { recursive: true }), 'No W&B run was begun'],
    [
      'another id was used',
      async () => {
        await world.place(good);
        const log = await logPath(world.attempt);
        await rename(log, join(dirname(log), 'run-other.wandb'));
      },
      'another id was: other',
    ],
    [
      'the run was online',
      async () => {
        const folder = join(world.attempt, 'wandb', `run-20260101_000000-${path.runId}`);
        await mkdir(folder, { recursive: true });
        await writeFile(join(folder, `run-${path.runId}.wandb`), '');
      },
      'not in offline mode',
    ],
    [
      'no row was logged',
      async () => {
        await world.place(good);
        const log = await logPath(world.attempt);
        await rename(log, `${log}.whole`);
        await copyRest(`${log}.whole`, log, null);
      },
      'no history row',
    ],
    [
      'it was killed before anything was written',
      async () => {
        await world.place(good);
        await truncate(await logPath(world.attempt), 7);
      },
      'not even the name of its run',
    ],
  ])('says that the job never logged: %s', async (_, prepare, words) => {
    await prepare();
    await expect(sync()).rejects.toMatchObject({
      type: 'JobNeverLogged',
      nonRetryable: true,
      message: expect.stringContaining(words),
    });
  });

  it('names the byte of a damaged log', async () => {
    await world.place(good);
    const log = await logPath(world.attempt);
    const bytes = await readFile(log);
    bytes.writeUInt8(bytes.readUInt8(600) ^ 0xff, 600);
    await writeFile(log, bytes);
    await expect(sync()).rejects.toMatchObject({
      type: 'WandbLogCorrupt',
      message: expect.stringMatching(/damaged at byte \d+/),
    });
  });

  it('tells a deleted run, with the way out', async () => {
    await world.place(good);
    await world.fault({ kind: 'delete-run', ...path });
    await expect(sync()).rejects.toMatchObject({
      type: 'WandbRunDeleted',
      message: expect.stringContaining('rerun'),
    });
  });

  it('tells a key that the server does not accept, and never shows it', async () => {
    await world.place(good);
    const apiKey = 'wrong-key-that-is-long-enough-to-be-sent-at-all';
    const client = createWandbClient({ ...world.settings, apiKey });
    for (const activities of [world.activitiesWith({ client, apiKey }), world.activitiesWith({ apiKey })]) {
      const failure: unknown = await sync(activities).catch((error: unknown) => error);
      expect(failure).toMatchObject({ type: 'WandbUnauthorized', nonRetryable: true });
      expect(JSON.stringify(failure) + String(failure)).not.toContain(apiKey);
    }
  });

  it('leaves trying again to its caller when the server is away', async () => {
    await world.place(good);
    await world.fault({ kind: 'status', on: 'graphql', operation: 'Run', status: 503, retryAfterSeconds: 7 });
    await expect(sync()).rejects.toMatchObject({ type: 'WandbUnavailable', nextRetryDelay: 7_000 });
    await world.fault({ kind: 'status', on: 'graphql', operation: 'UpsertBucket', status: 500, times: 2 });
    await expect(sync()).rejects.toMatchObject({ type: 'WandbUnavailable', nonRetryable: false });
    expect(await sync()).toMatchObject({ rows: 12 });
  });

  it('does not repeat an upload whose answer was lost', async () => {
    await world.place(good);
    await world.fault({ kind: 'drop', on: 'file_stream', afterwards: true });
    expect(await sync()).toMatchObject({ rows: 12 });
    expect(await rowsThere()).toBe(12);
  });
});

/** Sends the first rows as a mirror would have done. */
async function postRows(count: number): Promise<void> {
  const content = [...Array(count).keys()].map((step) =>
    JSON.stringify({ _step: step, 'val/loss': Math.exp(-step / 10) }),
  );
  const url = `${world.server.url}/files/${path.entity}/${path.project}/${path.runId}/file_stream`;
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`api:${world.settings.apiKey}`).toString('base64')}` },
    body: JSON.stringify({ files: { 'wandb-history.jsonl': { offset: 0, content } } }),
  });
  expect(response.status).toBe(200);
}

/** Rows as they lie on the stand-in's disk: the client itself may send a line again, to its old place. */
async function rowsThere(): Promise<number> {
  return (await storedRows(join(world.root, 'server'))).length;
}

/** Command lines of the processes that were started with the address of this test's server. */
async function syncProcesses(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) =>
      (await readProcess(pid, 'environ')).includes(`WANDB_BASE_URL=${world.server.url}`)
        ? [await readProcess(pid, 'cmdline')]
        : [],
    ),
  );
  return found.flat().filter((line) => line !== '');
}

/** Empty for a process that is gone by now. */
async function readProcess(pid: string, what: 'environ' | 'cmdline'): Promise<string> {
  return readFile(`/proc/${pid}/${what}`, 'utf8').catch(() => '');
}
