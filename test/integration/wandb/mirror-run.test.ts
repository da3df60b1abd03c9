import { mkdtemp, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { MirrorInput, SyncedRun, SyncInput } from '../../../activities/wandb/interface.ts';
import { storedRows } from '../../support/stored-rows.ts';
import {
  activityEnvironment,
  logPath,
  record,
  runPath as path,
  startWorld,
  syncInput,
  type World,
} from './world.ts';

const steps = 40;
let recordings: string;
let large: string;
let bytes: Buffer;
let world: World;
beforeAll(async () => {
  recordings = await mkdtemp(join(tmpdir(), 'hephaestus-test-'));
  large = await record(recordings, { steps, bytes: 5_000, nan: [4] });
  bytes = await readFile(await logPath(large));
});
afterAll(() => rm(recordings, { recursive: true, force: true }));
beforeEach(async () => {
  world = await startWorld();
  await world.place(large);
  await claim();
});
afterEach(() => world.close());

async function claim(): Promise<void> {
  const folder = join(world.attempt, 'claim');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'job_id'), 'job-1');
  await writeFile(join(world.attempt, 'heartbeat.json'), JSON.stringify({ at: 1 }));
}

/** The log as it was when so many bytes had reached the disk. */
async function grow(length: number): Promise<void> {
  const log = await logPath(world.attempt);
  await writeFile(log, bytes.subarray(0, length));
}

/** One pass; what it keeps for the next one is in `details`. */
async function pass(details?: unknown) {
  const environment = new MockActivityEnvironment(
    { heartbeatDetails: details },
    { logger: new DefaultLogger('ERROR') },
  );
  let kept = details;
  environment.on('heartbeat', (latest: unknown) => {
    kept = latest;
  });
  const input: MirrorInput = { ...syncInput, pollSeconds: 10 };
  const result: unknown = await environment
    .run((given: MirrorInput) => world.activities.mirrorRun(given), input)
    .catch((error: unknown) => error);
  return { result, details: kept };
}

const waiting = { type: 'MirrorWaiting', category: 'BENIGN', nonRetryable: false };

const storedLines = async (): Promise<readonly string[]> => storedRows(join(world.root, 'server'));

const sync = (): Promise<SyncedRun> =>
  activityEnvironment().run((input: SyncInput) => world.activities.syncRun(input), syncInput);

async function expectWhole(): Promise<void> {
  const lines = await storedLines();
  expect(lines.map((line) => /"_step":(\d+)/.exec(line)?.[1])).toEqual([...Array(steps).keys()].map(String));
  expect(lines[4]).toContain('"val/loss":NaN');
}

describe('mirrorRun', () => {
  it('sends what is new by short passes, is never doubled by lost memory, and leads to a whole run', async () => {
    await grow(7);
    expect((await pass()).result).toMatchObject({ ...waiting, nextRetryDelay: 10_000 });
    expect(await world.client.run(path)).toBeNull();
    let details: unknown;
    let before = -1;
    for (const share of [0.2, 0.4, 0.6, 0.8]) {
      await grow(Math.floor(bytes.length * share));
      // Each other pass begins in a new process that knows nothing.
      const passed = await pass(details);
      details = details === undefined ? passed.details : undefined;
      expect(passed.result).toMatchObject(waiting);
      const run = await world.client.run(path);
      expect(run).toMatchObject({
        state: 'running',
        group: 'warmup',
        tags: ['hephaestus', 'experiment:warmup'],
      });
      expect(run?.rows).toBeGreaterThan(before);
      before = run?.rows ?? 0;
    }
    await grow(bytes.length);
    expect((await pass(details)).result).toEqual({ rows: steps });
    await expectWhole();
    expect(await sync()).toMatchObject({ rows: steps, lastStep: steps - 1 });
    expect(await world.client.run(path)).toMatchObject({ state: 'finished' });
    await expectWhole();
  });

  it("closes the run of a killed job with the job's own exit code", async () => {
    await grow(Math.floor(bytes.length * 0.7));
    const { details } = await pass();
    const exit = {
      code: 137,
      signal: 'KILL',
      startedAt: 0,
      endedAt: 1,
      reason: null,
      peakMemoryBytes: null,
      gpuSeconds: null,
    };
    await writeFile(join(world.attempt, 'exit.json'), JSON.stringify(exit));
    const { result } = await pass(details);
    const synced = await sync();
    expect(result).toEqual({ rows: synced.rows });
    const stored: unknown = JSON.parse(await readFile(join(await serverFolder(), 'run.json'), 'utf8'));
    expect(stored).toMatchObject({ exitCode: 137 });
  });

  it('takes the fragments of a run that was begun again in their order', async () => {
    const first = await logPath(world.attempt);
    await truncate(first, 100_000);
    const { details } = await pass();
    const rows = (await world.client.run(path))?.rows ?? 0;
    expect(rows).toBeGreaterThan(5);
    const folder = join(dirname(dirname(first)), `offline-run-29990101_000000-${path.runId}`);
    await mkdir(join(folder, 'files'), { recursive: true });
    await writeFile(join(folder, `run-${path.runId}.wandb`), bytes);
    expect((await pass(details)).result).toEqual({ rows: rows + steps });
    expect(await sync()).toMatchObject({ rows: rows + steps });
    const found = (await storedLines()).map((line) => Number(/"_step":(\d+)/.exec(line)?.[1]));
    expect(found).toEqual([...Array(rows).keys(), ...Array(steps).keys()]);
    expect(await world.client.run(path)).toMatchObject({ state: 'finished' });
  });

  it('waits as long as the server asks, and sends the rest afterwards', async () => {
    await world.fault({ kind: 'status', on: 'file_stream', status: 429, retryAfterSeconds: 33 });
    const { result, details } = await pass();
    expect(result).toMatchObject({ type: 'WandbUnavailable', nextRetryDelay: 33_000 });
    expect((await pass(details)).result).toEqual({ rows: steps });
    await expectWhole();
  });

  it('does not double rows whose answer was lost, also where the server counts late', async () => {
    await world.fault({ kind: 'late-count', seconds: 60 });
    await world.fault({ kind: 'drop', on: 'file_stream', afterwards: true });
    expect((await pass()).result).toMatchObject({ type: 'WandbUnavailable' });
    expect((await pass()).result).toEqual({ rows: steps });
    await expectWhole();
  });

  it('ends for a run that was deleted, and for a key that may not write', async () => {
    await world.fault({ kind: 'delete-run', ...path });
    expect((await pass()).result).toMatchObject({ type: 'WandbRunDeleted', nonRetryable: true });
    await world.fault({ kind: 'status', on: 'graphql', operation: 'RunRows', status: 401 });
    expect((await pass()).result).toMatchObject({ type: 'WandbUnauthorized', nonRetryable: true });
  });
});

async function serverFolder(): Promise<string> {
  const runs = join(world.root, 'server', 'runs');
  const [folder = ''] = await readdir(runs);
  return join(runs, folder);
}
