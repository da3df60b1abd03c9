import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';

import { createSyncAgent } from '../../../infra/wandb/create-sync-agent.ts';
import { mirrorRows, mirrorStart } from '../../../infra/wandb/mirror-rows.ts';
import { readTransactionLog } from '../../../infra/wandb/transaction-log.ts';
import { createWandbWriter } from '../../../infra/wandb/wandb-writer.ts';
import { storedRows } from '../../support/stored-rows.ts';
import { logPath, record, startWorld, type World } from './world.ts';

const steps = 40;
const path = { entity: 'lab', project: 'digits', runId: 'one' };
const signal = new AbortController().signal;
let recordings: string;
let recorded: string;
/** Of a run whose script names no entity. */
let nameless: string;
let world: World;
let root: string;
beforeAll(async () => {
  recordings = await mkdtemp(join(tmpdir(), 'hephaestus-test-'));
  const { wandb } = inject('tools');
  recorded = dirname(await logPath(await record(recordings, { steps, bytes: 5_000 }, wandb, 'one')));
  nameless = dirname(await logPath(await record(recordings, { init: { entity: '' } }, wandb, 'two')));
});
afterAll(() => rm(recordings, { recursive: true, force: true }));
beforeEach(async () => {
  world = await startWorld();
  root = join(world.root, 'runs');
  await mkdir(root);
});
afterEach(async () => {
  vi.useRealTimers();
  await world.close();
});

async function place(from = recorded): Promise<string> {
  const target = join(root, 'wandb', `offline-run-20260101_000000-${from.slice(-3)}`);
  await cp(from, target, { recursive: true });
  return join(target, `run-${from.slice(-3)}.wandb`);
}

function agent(change: Partial<Parameters<typeof createSyncAgent>[0]> = {}) {
  return createSyncAgent({
    settings: world.settings,
    syncCommand: [inject('tools').wandb, 'sync'],
    environment: { PATH: '/usr/bin:/bin' },
    roots: [root],
    home: join(world.root, 'home'),
    parallel: 2,
    silentMs: 3_600_000,
    timing: { patienceMs: 4_000, pollMs: 50 },
    signal,
    onRun: () => undefined,
    ...change,
  });
}

const onServer = (runId = 'one') => world.client.run({ ...path, runId });
const settings = (change: object) =>
  fetch(`${world.server.url}/_lab/settings`, { method: 'PUT', body: JSON.stringify(change) });
const stored = () => storedRows(join(world.root, 'server'));

function mirror(log: string) {
  const writer = createWandbWriter(world.settings);
  return mirrorRows({ writer, path, logs: [log], cursor: mirrorStart, mostBytes: Infinity, signal });
}

describe('what is asked of the server', () => {
  it('refuses a project that is read-only with the reason and the cure, and marks nothing as sent', async () => {
    const log = await place();
    await settings({ readOnlyProjects: ['digits'] });
    await expect((await agent()).round()).rejects.toMatchObject({
      type: 'WandbUnauthorized',
      message: expect.stringContaining('WANDB_API_KEY'),
    });
    expect((await readdir(dirname(log))).filter((name) => name.endsWith('.synced'))).toEqual([]);
    await settings({ readOnlyProjects: [] });
    const { runs } = await (await agent()).round();
    expect(runs).toMatchObject([{ status: 'acknowledged', rows: steps }]);
  });

  it.each([
    ['was not announced', { on: 'graphql', operation: 'CreateRunFiles', status: 403 }],
    ['was refused', { on: 'upload', status: 403 }],
  ])('misses a file that %s although the client said nothing, and sends it again', async (_, fault) => {
    await place();
    await world.fault({ kind: 'status', times: 20, ...fault });
    const impatient = await agent({ timing: { patienceMs: 300, pollMs: 50 } });
    const before = await impatient.round();
    expect(before.runs).toMatchObject([
      { status: 'draining', reason: expect.stringContaining('did not arrive') },
    ]);
    await fetch(`${world.server.url}/_lab/faults`, { method: 'DELETE' });
    const { runs } = await (await agent()).round();
    expect(runs).toMatchObject([{ status: 'acknowledged' }]);
    expect(await stored()).toHaveLength(steps);
  });

  it("takes the key's own entity for a run that names none", async () => {
    await place(nameless);
    const { runs } = await (await agent({ settings: { ...world.settings, entity: undefined } })).round();
    expect(runs).toMatchObject([{ status: 'acknowledged' }]);
    expect(await onServer('two')).toMatchObject({ state: 'finished' });
  });

  it('keeps to two requests a second for a run', async () => {
    await settings({ requestsPerSecondPerRun: 2 });
    const writer = createWandbWriter(world.settings);
    const run = await readTransactionLog(await place());
    if (run.run === null) throw new Error('the recorded log names no run');
    await writer.create(path, run.run, signal);
    const started = performance.now();
    // As fast as a log may bring them; each must be taken at its first try.
    for (let index = 0; index < 6; index += 1) await writer.send(path, index, ['{"_step":1}'], signal);
    expect(performance.now() - started).toBeGreaterThan(2_500);
  });
});

describe('what is shown of a run', () => {
  it('is alive while somebody says so, and crashed only when nobody does', async () => {
    const log = await place();
    await truncate(log, 100_000);
    await settings({ crashedAfterSeconds: 2 });
    await mirror(log);
    expect(await onServer()).toMatchObject({ state: 'running' });
    await vi.waitFor(async () => expect(await onServer()).toMatchObject({ state: 'crashed' }), {
      timeout: 15_000,
    });
    const writer = createWandbWriter(world.settings);
    await writer.send(path, 0, [], signal);
    expect(await onServer()).toMatchObject({ state: 'running' });
  });

  it('has its last step also where the rows did not come by the client', async () => {
    await mirror(await place());
    const { runs } = await (await agent()).round();
    expect(runs).toMatchObject([{ status: 'acknowledged' }]);
    expect(await onServer()).toMatchObject({ state: 'finished', summary: { _step: steps - 1 } });
    expect(await stored()).toHaveLength(steps);
  });
});

describe('a clock that jumps', () => {
  it('does not end a living run, neither forwards nor backwards', async () => {
    const log = await place();
    await truncate(log, 100_000);
    vi.useFakeTimers({ toFake: ['Date'] });
    const watching = await agent({ silentMs: 30 * 60_000 });
    const day = 86_400_000;
    for (const jump of [0, 10 * day, -20 * day, 30 * day]) {
      vi.setSystemTime(Date.now() + jump);
      const { runs } = await watching.round();
      expect(runs, `after ${jump / day} days`).toMatchObject([{ status: 'mirroring' }]);
    }
  });
});

describe('a disk that is not what it should be', () => {
  it('is never asked for a lock by the client, nor marked before the proof', async () => {
    const log = await place();
    const client = join(world.root, 'client.sh');
    const seen = join(world.root, 'seen');
    await writeFile(client, `#!/bin/sh\necho "$@" >> ${seen}\nexec ${inject('tools').wandb} "$@"\n`);
    await chmod(client, 0o755);
    const { runs } = await (await agent({ syncCommand: [client, 'sync'] })).round();
    expect(runs).toMatchObject([{ status: 'acknowledged' }]);
    // The client makes and locks `.syncstate` beside the log that it is given.
    expect(await readFile(seen, 'utf8')).not.toContain(root);
    const names = await readdir(dirname(log));
    expect(names).toContain('run-one.wandb.synced');
    expect(names.filter((name) => name.endsWith('.lock'))).toEqual([]);
  });

  it('sends by the index alone where no lock can be made, so that two at once double nothing', async () => {
    const log = await place();
    // A file at the lock's place can neither be taken nor removed as one.
    await writeFile(`${log}.lock`, '');
    const rounds = await Promise.all([agent(), agent({ home: join(world.root, 'other') })]);
    const results = await Promise.all(rounds.map((each) => each.round()));
    for (const { runs } of results) expect(runs).toMatchObject([{ name: 'one' }]);
    expect((await stored()).length).toBeLessThanOrEqual(steps);
  });

  it('keeps two agents apart that look at the same run at once', async () => {
    await place();
    const agents = await Promise.all([agent(), agent({ home: join(world.root, 'other') })]);
    const results = await Promise.all(agents.map((each) => each.round()));
    for (const { runs } of results) expect(runs).toMatchObject([{ status: 'acknowledged', rows: steps }]);
    expect(await stored()).toHaveLength(steps);
  });

  it('takes over from an agent that was killed', async () => {
    const log = await place();
    // All that it leaves, and nobody renews it.
    await mkdir(`${log}.lock`);
    const { runs } = await (await agent()).round();
    expect(runs).toMatchObject([{ status: 'acknowledged' }]);
  });
});
