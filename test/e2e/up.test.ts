import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, inject, it } from 'vitest';

import { databaseFile } from '../../infra/home/database.ts';
import { patientTraining } from '../support/patient-training.ts';
import {
  isAlive,
  openUpWorld,
  pidOf,
  processesOf,
  until,
  type UpProcess,
  type UpWorld,
} from '../support/up-world.ts';

let directory: string;
let world: UpWorld;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hephaestus-up-'));
  world = await openUpWorld(directory, inject('tools'));
});
afterAll(async () => {
  await world.close();
  await rm(directory, { recursive: true, force: true });
});

async function killAndAwaitNext(up: UpProcess, name: string): Promise<void> {
  const pid = pidOf(up, name);
  process.kill(pid, 'SIGKILL');
  await until(() => pidOf(up, name) !== pid, up.text);
  expect(await isAlive(pid)).toBe(false);
}

async function noneLeft(): Promise<void> {
  await until(
    async () => (await processesOf(world.home)).size === 0,
    () => 'processes are left',
    20_000,
  ).catch(async () => expect([...(await processesOf(world.home)).values()]).toEqual([]));
}

it('goes on with an experiment through kills of the worker, of Temporal, of a guard and of itself', async () => {
  const first = world.up();
  await first.ready;
  // The page is the webhook server's here: nothing else is opened that nobody would close.
  const logs = await readdir(join(world.home, 'logs'));
  expect(logs.toSorted()).toEqual(['temporal.log', 'webhook.log', 'worker.log']);
  // Beside the training, which belongs to the cluster, all of it is to be gone in the end.
  const finish = join(directory, 'finish');
  await world.begin('patient', patientTraining(finish));
  const experiments = world.experiments();
  const phase = async (): Promise<string> =>
    (await experiments.list()).find(({ id }) => id === 'patient')?.phase ?? '';
  await until(async () => (await phase()) === 'training', first.text);

  const second = await world.cli(['up']);
  expect(second).toMatchObject({ code: 4, text: expect.stringContaining(`as process ${first.pid}`) });
  await killAndAwaitNext(first, 'worker');
  await killAndAwaitNext(first, 'Temporal');
  const worker = pidOf(first, 'worker');
  const guards = [...(await processesOf(world.home))].filter(([, args]) => args.includes('guard.py'));
  const guard = guards.find(([, args]) => args.includes('worker --zone'));
  process.kill(guard?.[0] ?? 0, 'SIGKILL');
  await until(() => pidOf(first, 'worker') !== worker, first.text);
  expect(await isAlive(worker)).toBe(false);

  process.kill(first.pid, 'SIGKILL');
  await first.ended;
  const children = ['worker', 'Temporal', 'webhook'].map((name) => pidOf(first, name));
  await until(async () => !(await Promise.all(children.map(isAlive))).some(Boolean), first.text, 10_000);
  const third = world.up();
  await third.ready;
  await writeFile(finish, '');
  await until(async () => (await phase()) === 'deciding', third.text);
  const jobs = (await fetch(`${world.lab.qizhi.url}/_lab/jobs`).then((answer) => answer.json())) as unknown[];
  expect(jobs).toHaveLength(1);
  const down = await world.cli(['down']);
  expect(down).toMatchObject({ code: 0, text: expect.stringContaining(`Stopped (process ${third.pid}`) });
  expect(await third.ended).toBe(0);
  await noneLeft();
}, 400_000);

it('refuses what it cannot work with, in words, and starts nothing', async () => {
  const cases: [overrides: Record<string, string>, words: string][] = [
    [{ TEMPORAL_ADDRESS: 'temporal.example:7233' }, 'an address of the loopback'],
    [{ HEPHAESTUS_HOME: '/proc/hephaestus' }, 'which cannot be written'],
    [{ QIZHI_PASSWORD: 'two words' }, 'QIZHI_PASSWORD'],
  ];
  for (const [overrides, words] of cases) {
    expect(await world.cli(['up'], overrides)).toMatchObject({
      code: 2,
      text: expect.stringContaining(words),
    });
  }
  const port = Number(world.settings['TEMPORAL_ADDRESS']?.split(':')[1]);
  const taker = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1');
  expect(await world.cli(['up'])).toMatchObject({
    code: 2,
    text: expect.stringContaining(`port ${port} of 127.0.0.1`),
  });
  await new Promise((resolve) => taker.close(resolve));

  const home = join(directory, 'newer');
  await rm(home, { recursive: true, force: true });
  const file = join(world.home, 'home.json');
  const before = await readFile(file, 'utf8');
  await writeFile(file, '{"schema":"hephaestus/home/v99","temporal":null}');
  expect(await world.cli(['up'])).toMatchObject({
    code: 2,
    text: expect.stringContaining('hephaestus/home/v99'),
  });
  await writeFile(file, before);
  await noneLeft();
});

it('shows the page for people also where GitHub cannot reach this machine', async () => {
  const up = world.up([], { GITHUB_WEBHOOK_SECRET: '' });
  await up.ready;
  const url = `http://127.0.0.1:${world.settings['HEPHAESTUS_PAGE_PORT'] ?? ''}`;
  expect(up.text()).toContain(`The page for people: ${url}`);
  const page = await fetch(url);
  expect({ status: page.status, text: await page.text() }).toEqual({
    status: 200,
    text: expect.stringContaining('<h1>Experiments</h1>') as string,
  });
  process.kill(up.pid, 'SIGTERM');
  expect(await up.ended).toBe(0);
  await noneLeft();
});

it('gives up with the reason when a child cannot be configured', async () => {
  const port = Number(world.settings['HEPHAESTUS_WEBHOOK_PORT']);
  const taker = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1');
  const up = world.up();
  expect(await up.ended).toBe(2);
  expect(up.text()).toContain('The webhook cannot be started with this configuration.');
  expect(up.text()).toContain('HEPHAESTUS_WEBHOOK_PORT');
  await new Promise((resolve) => taker.close(resolve));
  await noneLeft();
});

it('leaves a damaged database as it is, until the person says to set it aside', async () => {
  const file = databaseFile(world.home);
  await rm(`${file}-wal`, { force: true });
  await writeFile(file, 'no database '.repeat(1000));
  const refused = await world.cli(['up']);
  expect(refused).toMatchObject({ code: 1, text: expect.stringContaining('--set-database-aside') });
  expect(await readFile(file, 'utf8')).toContain('no database');
  const up = world.up(['--set-database-aside']);
  await up.ready;
  expect(await world.experiments().list()).toEqual([]);
  process.kill(up.pid, 'SIGTERM');
  expect(await up.ended).toBe(0);
  await noneLeft();
  const aside = /moved to (\S+);/.exec(up.text())?.[1] ?? '';
  expect(await readFile(aside, 'utf8')).toContain('no database');
  await truncate(aside);
});

it.each([50, 400, 1500, 3000])('ends in good order on SIGTERM after %i ms', async (ms) => {
  const up = world.up();
  await new Promise((resolve) => setTimeout(resolve, ms));
  process.kill(up.pid, 'SIGTERM');
  // Before it listens for the signal, the signal's own way of ending is as good.
  expect([0, undefined]).toContain(await up.ended);
  await noneLeft();
});
