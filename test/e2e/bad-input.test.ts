import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';

import { freePort } from '../../infra/free-port.ts';
import { exampleNote } from '../support/example-note.ts';
import {
  goodTraining,
  startBadInputWorld,
  type BadInputWorld,
  type CliAnswer,
  type Settings,
} from '../support/bad-input-world.ts';

const run = promisify(execFile);

let directory: string;
let world: BadInputWorld;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hephaestus-bad-'));
  world = await startBadInputWorld(directory, inject('tools'));
  world.startWorker();
});
afterAll(async () => {
  await world.close();
  await rm(directory, { recursive: true, force: true });
});

async function startAndWatch(
  id: string,
  overrides?: Parameters<BadInputWorld['writeNote']>[1],
  settings?: Settings,
): Promise<CliAnswer> {
  return world.cli(['start', await world.writeNote(id, overrides), '--watch'], settings);
}

/** What `show` prints once there is trouble, and how soon that is, ms. */
async function troubleOf(id: string, settings: Settings): Promise<string> {
  const experiments = world.experiments(settings);
  await vi.waitFor(async () => expect(await experiments.troubles(id)).not.toEqual([]), waiting);
  return (await world.cli(['show', id], settings)).text;
}

async function reaches(id: string, phases: readonly string[], settings: Settings = {}): Promise<void> {
  const experiments = world.experiments(settings);
  await vi.waitFor(async () => expect(phases).toContain((await experiments.see(id)).phase), waiting);
}

const waiting = { timeout: 90_000, interval: 200 };

async function startAgain(id: string, settings?: Settings): Promise<void> {
  const answer = await world.cli(['start', await world.writeNote(id)], settings);
  expect(answer).toMatchObject({ code: 0 });
  expect(answer.text).toContain(`Started: ${id}`);
  await reaches(id, ['deciding'], settings);
}

/** Passes its rehearsal and fails where the data of the job are missing. */
const failsInTheJob = `import os
import sys

import wandb

wandb.init()
if os.environ.get("HEPHAESTUS_REHEARSAL") != "1":
    print("no such data set: cifar")
    sys.exit(1)
`;

/** By seed: a run without a row, no run at all, a run that is not written, one that wants the network. */
const strangeTraining = `import sys

import wandb

seed = int(sys.argv[1])
if seed == 0:
    wandb.init().finish()
if seed >= 2:
    with wandb.init(mode="disabled" if seed == 2 else "online") as run:
        run.log({"val/loss": 1.0})
`;

describe.concurrent('bad input', () => {
  it('is refused before anything starts when the command line can see it', async () => {
    const taken = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve));
    const nowhere = { TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}` };
    const note = await world.writeNote('seen-at-once');
    const broken = join(directory, 'broken.md');
    await writeFile(broken, (await readFile(note, 'utf8')).replace('goal: minimize', 'goal: smaller'));
    const seeds = await world.writeNote('no-seed', { seeds: [0, 1] });
    const file = join(directory, 'a-file');
    await writeFile(file, '');

    const answers = {
      broken: await world.cli(['start', broken, '--json']),
      seeds: await world.cli(['start', seeds]),
      key: await world.cli(['start', note], { HEPHAESTUS_VALUT: '/nowhere' }),
      temporal: await world.cli(['start', note], nowhere),
      worker: await world.cli(['worker', '--zone', 'control', 'local', 'networked'], nowhere),
      workerKey: await world.cli(['worker', '--zone', 'control'], { HEPHAESTUS_SHARD_DIR: '/nowhere' }),
      port: await world.cli(['webhook'], { HEPHAESTUS_WEBHOOK_PORT: String(port) }),
      folder: await world.cli(['worker', '--zone', 'control', 'local', 'networked'], {
        HEPHAESTUS_SHARED_DIR: join(file, 'shared'),
      }),
    };
    taken.close();

    expect(answers.broken.code).toBe(2);
    expect(JSON.parse(answers.broken.stdout)).toMatchObject({
      error: {
        problems: [
          expect.objectContaining({ path: 'metric.goal', value: '"smaller"', expected: expect.any(String) }),
        ],
      },
    });
    expect(answers.seeds).toMatchObject({ code: 2, text: expect.stringContaining('{seed}') });
    expect(answers.key).toMatchObject({ code: 2, text: expect.stringContaining('HEPHAESTUS_VAULT') });
    expect(answers.temporal).toMatchObject({
      code: 5,
      text: expect.stringContaining(`Temporal at ${nowhere.TEMPORAL_ADDRESS}`),
    });
    expect(answers.worker).toMatchObject({
      code: 5,
      text: expect.stringContaining('temporal server start-dev'),
    });
    expect(answers.workerKey).toMatchObject({
      code: 2,
      text: expect.stringContaining('HEPHAESTUS_SHARED_DIR'),
    });
    expect(answers.port).toMatchObject({
      code: 2,
      text: expect.stringContaining(`${port}, which another program`),
    });
    expect(answers.folder).toMatchObject({ code: 2, text: expect.stringContaining(join(file, 'shared')) });
    for (const { ms } of Object.values(answers)) expect(ms).toBeLessThan(30_000);
    for (const id of ['seen-at-once', 'no-seed']) {
      expect(await world.cli(['show', id])).toMatchObject({ code: 3 });
    }
  }, 240_000);

  it('ends the experiment before anything is made when the repository or its branch does not exist', async () => {
    const [repository, branch] = await Promise.all([
      startAndWatch('no-repository', { repository: 'lab/nothing-here' }),
      startAndWatch('no-branch', { base: 'release' }),
    ]);
    expect(repository.code).toBe(1);
    expect(repository.text).toMatch(/failure: RepositoryNotFound: .*lab\/nothing-here/);
    expect(branch.code).toBe(1);
    expect(branch.text).toMatch(
      /failure: BaseBranchNotFound: the branch "release".*lab\/small: name an existing branch in "base"/,
    );
    for (const id of ['no-repository', 'no-branch']) {
      const folder = join(world.settings['HEPHAESTUS_HOME'] ?? '', 'shared', 'experiments', id);
      await expect(stat(folder)).rejects.toThrow('ENOENT');
    }
    // The cause mended, the same id goes through.
    await world.cli(['start', await world.writeNote('no-branch')]);
    await reaches('no-branch', ['implementing']);
    expect(await world.cli(['stop', 'no-branch'])).toMatchObject({ code: 0 });
  }, 240_000);

  it('tells how the training script failed, and the same id passes with a better one', async () => {
    world.variants.set('exits-one', failsInTheJob);
    const failed = await startAndWatch('exits-one');
    expect(failed.code).toBe(1);
    expect(failed.text).toMatch(
      /failure: JobFailed: seed 0: .*code 1; see .*output\.log.*no such data set: cifar/s,
    );
    world.variants.set('exits-one', goodTraining);
    await startAgain('exits-one');
    expect((await world.cli(['show', 'exits-one'])).text).toMatch(/^ {2}2 +0 +synced/m);
  }, 240_000);

  it('tells of each training what is wrong with its use of W&B', async () => {
    world.variants.set('strange', strangeTraining);
    const { job } = exampleNote();
    const answer = await startAndWatch('strange', {
      seeds: [0, 1, 2, 3],
      job: { ...job, command: 'python variant.py {seed}' },
    });
    expect(answer.code).toBe(1);
    const { text } = await world.cli(['show', 'strange']);
    expect(text).toMatch(/^ {2}1 +0 .*JobNeverLogged: .*no history row.*wandb\.log/m);
    expect(text).toMatch(/^ {2}1 +1 .*JobNeverLogged: No W&B run.*wandb\.init/m);
    expect(text).toMatch(/^ {2}1 +2 .*JobNeverLogged: No W&B run.*mode="disabled"/m);
    expect(text).toMatch(/^ {2}1 +3 .*(JobFailed|JobNeverLogged): .*/m);
  }, 240_000);

  it('tells each wrong credential at once, and the same id passes when all are mended', async () => {
    const namespace = await world.namespace('credentials');
    const id = 'wrong-keys';
    const wrong = [
      [{ GITHUB_TOKEN: 'ghp_wrong0000' }, /GithubUnauthorized: .*GITHUB_TOKEN/],
      [{ QIZHI_PASSWORD: 'not-the-password' }, /QizhiUnauthorized: .*QIZHI_PASSWORD/],
      [{ WANDB_API_KEY: 'f'.repeat(40) }, /WandbUnauthorized: .*WANDB_API_KEY/],
    ] as const;
    const stopping: Promise<void>[] = [];
    const logins = await loginsOf(world);
    for (const [settings, message] of wrong) {
      const worker = world.startWorker({ ...namespace, ...settings });
      const answer = await startAndWatch(id, {}, namespace);
      // It takes no work from now on, so the next one need not wait for its last breath.
      stopping.push(worker.stop());
      expect(answer.code).toBe(1);
      expect(answer.text).toMatch(message);
      for (const value of Object.values(settings)) expect(answer.text).not.toContain(value);
    }
    // One try, however many calls needed it: more of them would lock the account.
    const { refused } = await loginsOf(world);
    expect(refused - logins.refused).toBe(1);
    world.startWorker(namespace);
    await startAgain(id, namespace);
    await Promise.all(stopping);
  }, 240_000);

  it('waits for a shared disk that is full or read-only, says so, and goes on when it is mended', async (context) => {
    const disk = join(directory, 'disk');
    await mkdir(disk);
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'none', disk]).catch(
      (error: unknown) => String(error),
    );
    if (typeof mounted === 'string') return context.skip(`no file system can be mounted here: ${mounted}`);
    let mounts = 1;
    const namespace = await world.namespace('disk');
    const worker = world.startWorker({ ...namespace, HEPHAESTUS_SHARED_DIR: disk });
    try {
      await run('dd', ['if=/dev/zero', `of=${join(disk, 'data')}`, 'bs=1k', 'count=2000']).catch(() => null);
      await world.cli(['start', await world.writeNote('full-disk')], namespace);
      const full = await troubleOf('full-disk', namespace);
      expect(full).toMatch(/SharedDiskFull/);
      expect(full).toContain(disk);
      await run('mount', ['-o', 'remount,size=64m', disk]);
      await reaches('full-disk', ['implementing', 'freezing'], namespace);
      await world.cli(['stop', 'full-disk'], namespace);

      await run('mount', ['--bind', disk, disk]);
      mounts += 1;
      await run('mount', ['-o', 'remount,bind,ro', disk]);
      await world.cli(['start', await world.writeNote('read-only')], namespace);
      const readOnly = await troubleOf('read-only', namespace);
      expect(readOnly).toMatch(/SharedDiskReadOnly/);
      expect(readOnly).toContain(disk);
      await run('umount', ['--lazy', disk]);
      mounts -= 1;
      await reaches('read-only', ['implementing', 'freezing'], namespace);
      await world.cli(['stop', 'read-only'], namespace);
    } finally {
      await worker.stop();
      for (; mounts > 0; mounts -= 1) await run('umount', ['--lazy', disk]);
    }
  }, 240_000);
});

async function loginsOf({ lab }: BadInputWorld): Promise<{ refused: number }> {
  return fetch(`${lab.qizhi.url}/_lab/stats`).then((answer) => answer.json() as Promise<{ refused: number }>);
}
