import { access, mkdir, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { execa } from 'execa';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';

import { detectIsolation, isolatedCommand } from '../../../infra/isolation/isolation.ts';
import { makeAttempt, type AttemptFixture } from './attempt-fixture.ts';
import { installedShells } from './installed-shells.ts';

const { uv } = inject('tools');
const jobA = 'job-00000000-0000-4000-8000-00000000000a';
const jobB = 'job-00000000-0000-4000-8000-00000000000b';
const isolation = await detectIsolation();
const shells = await installedShells();

const made: AttemptFixture[] = [];

async function attempt(
  ...options: Parameters<typeof makeAttempt> extends [string, ...infer Rest] ? Rest : never
) {
  const fixture = await makeAttempt(uv, ...options);
  made.push(fixture);
  return fixture;
}

afterEach(async () => {
  await Promise.all(made.splice(0).map(async (fixture) => fixture.remove()));
});

/** A search path on which a program takes its time, so that all of many have looked before the first has acted. */
async function slowPath(folder: string, program: string): Promise<string> {
  const { stdout: path } = await execa('sh', ['-c', 'printf %s "$PATH"']);
  const { stdout: real } = await execa('sh', ['-c', `command -v ${program}`]);
  await writeFile(join(folder, program), `#!/bin/sh\nsleep 0.7\nexec ${real} "$@"\n`, { mode: 0o755 });
  return `${folder}:${path}`;
}

describe.each(shells)('start.sh under $name', ({ shell }) => {
  it('passes every value as it is, whatever is in it', async () => {
    const nasty = `it's "two words" $HOME \`id\` \\ *\nsecond line`;
    const fixture = await attempt(
      'python dump.py {seed} "$HEPHAESTUS_SEED" \'a  b\' "$WANDB_RUN_GROUP" "$(command -v python)"',
      {
        name: `a shared 'disk' "with" $PATH and\nlines`,
        wandb: { group: nasty, entity: 'lab' },
      },
    );
    await writeFile(
      join(fixture.source, 'dump.py'),
      'import json, os, sys\njson.dump([sys.argv[1:], dict(os.environ), sys.prefix], open("dump.json", "w"))',
    );
    const environment = { WANDB_API_KEY: 'canary', PYTHONPATH: '/nowhere', HOME: '/nonexistent' };
    expect(await fixture.start(shell, { jobId: jobA, environment })).toMatchObject({
      exitCode: 0,
      stderr: '',
    });
    const dumped = await execa('cat', [join(fixture.source, 'dump.json')]);
    const [argv, env] = JSON.parse(dumped.stdout) as [string[], Record<string, string>];
    expect(argv).toEqual(['2', '2', 'a  b', nasty, expect.stringMatching(/\/environment\/bin\/python$/)]);
    expect(env).toMatchObject({
      WANDB_MODE: 'offline',
      WANDB_RUN_ID: 'warmup-cosine-a1-s2-x',
      WANDB_DIR: fixture.folder,
      WANDB_RUN_GROUP: nasty,
      WANDB_ENTITY: 'lab',
      WANDB_PROJECT: 'digits',
      WANDB_TAGS: 'hephaestus,experiment:warmup-cosine',
      HF_HUB_OFFLINE: '1',
      HEPHAESTUS_EXPERIMENT: 'warmup-cosine',
      HEPHAESTUS_JOB_ID: jobA,
      HOME: join(fixture.folder, 'home'),
    });
    expect(Object.keys(env)).not.toEqual(expect.arrayContaining(['WANDB_API_KEY']));
    expect(Object.keys(env)).not.toEqual(expect.arrayContaining(['PYTHONPATH']));
    const records = await fixture.records();
    expect(records).toMatchObject({
      claim: { jobId: jobA },
      exit: { code: 0, signal: null, reason: null },
      duplicates: [],
    });
    expect(records.exit?.endedAt).toBeGreaterThanOrEqual(records.exit?.startedAt ?? Infinity);
  });

  it('trains once when many jobs of one attempt start together', async () => {
    const fixture = await attempt('echo trained >> trained; sleep 0.3; true {seed}');
    const ids = Array.from({ length: 6 }, (_, index) => jobA.replace(/.$/, String(index)));
    const environment = { PATH: await slowPath(fixture.shared, 'mv') };
    const jobs = await Promise.all(ids.map(async (jobId) => fixture.start(shell, { jobId, environment })));
    expect(jobs.filter((job) => job.exitCode === 0)).toHaveLength(1);
    expect(jobs.filter((job) => job.exitCode === 75)).toHaveLength(5);
    const winner = ids[jobs.findIndex((job) => job.exitCode === 0)];
    const records = await fixture.records();
    expect(records.claim?.jobId).toBe(winner);
    expect(records.duplicates.map(({ jobId }) => jobId)).toEqual(ids.filter((id) => id !== winner));
    expect((await execa('cat', [join(fixture.source, 'trained')])).stdout).toBe('trained');
    expect((await execa('ls', ['-A', join(fixture.folder, 'claim')])).stdout).toBe('host\njob_id\ntime');
  });

  it('goes on under the same job id, but never repeats a finished training', async () => {
    const fixture = await attempt('echo x >> turns; [ "$(wc -l < turns)" -ge 2 ]');
    expect((await fixture.start(shell, { jobId: jobA })).exitCode).toBe(1);
    expect((await fixture.start(shell, { jobId: jobB })).exitCode).toBe(75);
    expect((await fixture.start(shell, { jobId: jobA })).exitCode).toBe(0);
    expect((await fixture.start(shell, { jobId: jobA })).exitCode).toBe(0);
    expect((await execa('cat', [join(fixture.source, 'turns')])).stdout).toBe('x\nx');
    expect((await fixture.records()).exit).toMatchObject({ code: 0 });
  });

  it('hands SIGTERM to a command that handles it, and waits for it', async () => {
    const fixture = await attempt(
      "trap 'sleep 0.5; echo last words; exit 3' TERM; echo ready; while :; do sleep 0.05; done",
    );
    const job = fixture.start(shell, { jobId: jobA });
    await vi.waitFor(async () => expect(await fixture.read('output.log')).toContain('ready'), 10_000);
    job.kill('SIGTERM');
    expect((await job).exitCode).toBe(3);
    expect(await fixture.read('output.log')).toContain('last words');
    expect((await fixture.records()).exit).toMatchObject({
      code: 3,
      signal: 'TERM',
      reason: 'the job was told to stop, and the command ended with code 3',
    });
  });

  it('lets Python unwind when it is stopped, also behind another shell', async () => {
    const fixture = await attempt('python train.py; echo "not reached"');
    await writeFile(
      join(fixture.source, 'train.py'),
      'import atexit, time\natexit.register(lambda: print("unwound"))\nprint("ready")\ntime.sleep(60)',
    );
    const job = fixture.start(shell, { jobId: jobA });
    await vi.waitFor(async () => expect(await fixture.read('output.log')).toContain('ready\n'), 10_000);
    job.kill('SIGTERM');
    await job;
    const log = await fixture.read('output.log');
    expect(log).toContain('unwound');
    expect(log).not.toContain('not reached');
    expect((await fixture.records()).exit).toMatchObject({ signal: 'TERM' });
  });

  it('does not call a training finished that was stopped and ended with 0', async () => {
    const fixture = await attempt("trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done");
    const job = fixture.start(shell, { jobId: jobA });
    await vi.waitFor(async () => expect(await fixture.read('output.log')).toContain('ready'), 10_000);
    job.kill('SIGTERM');
    expect((await job).exitCode).toBe(143);
    expect((await fixture.records()).exit?.code).toBe(143);
  });

  it.each([
    ['exit 7', { code: 7, signal: null }],
    ['kill -KILL $$', { code: 137, signal: 'KILL' }],
    ['no-such-program-anywhere', { code: 127, signal: null }],
  ])('records how it ended: %s', async (command, exit) => {
    const fixture = await attempt(command);
    expect((await fixture.start(shell, { jobId: jobA })).exitCode).toBe(exit.code);
    expect((await fixture.records()).exit).toMatchObject(exit);
  });

  it('says in one line what is wrong with the environment', async () => {
    const fixture = await attempt('true');
    await unlink(join(fixture.source, '.venv'));
    expect((await fixture.start(shell, { jobId: jobA })).exitCode).toBe(78);
    expect((await fixture.records()).exit).toMatchObject({
      code: 78,
      reason: `the environment is missing: ${fixture.source}/.venv/bin/activate`,
    });

    await mkdir(join(fixture.source, '.venv', 'bin'), { recursive: true });
    await writeFile(join(fixture.source, '.venv', 'bin', 'activate'), '');
    await symlink('/nowhere/python', join(fixture.source, '.venv', 'bin', 'python'));
    expect((await fixture.start(shell, { jobId: jobA })).exitCode).toBe(78);
    expect((await fixture.records()).exit?.reason).toMatch(
      /Python does not start: .*(not found|No such file)/,
    );
  });

  it('does not claim, beat or record on the other nodes of a job', async () => {
    const fixture = await attempt('echo "$WANDB_MODE"');
    const other = fixture.start(shell, { jobId: jobA, environment: { PET_NODE_RANK: '1' } });
    expect((await fixture.start(shell, { jobId: jobA, environment: { PET_NODE_RANK: '0' } })).exitCode).toBe(
      0,
    );
    await fixture.start(shell, { jobId: jobA });
    expect((await other).exitCode).toBe(0);
    expect(await fixture.read('output.1.log')).toMatch(/^disabled$/m);
    expect(await fixture.read('output.log')).toMatch(/^offline$/m);
    expect((await fixture.start(shell, { jobId: jobB, environment: { PET_NODE_RANK: '1' } })).exitCode).toBe(
      75,
    );
  });

  it('leaves no process behind that goes on beating', async () => {
    const fixture = await attempt('sleep 60');
    const job = fixture.start(shell, { jobId: jobA });
    await vi.waitFor(async () => access(join(fixture.folder, 'heartbeat.json')), 10_000);
    expect((await fixture.records()).heartbeatAt).toBeGreaterThan(Date.now() - 60_000);
    job.kill('SIGTERM');
    await job;
    const left = await execa(
      'sh',
      ['-c', 'cat /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n" | grep -c "$1"', 'sh', fixture.folder],
      {
        reject: false,
      },
    );
    expect(left.stdout).toBe('0');
  });
});

describe('start.sh', () => {
  it.skipIf(isolation !== 'namespaces')('takes its job id from the host name', async () => {
    const fixture = await attempt('true');
    const argv = ['sh', join(fixture.folder, 'start.sh')];
    const [program, ...args] = isolatedCommand('namespaces', argv, { hostName: `${jobB}-worker-0` });
    expect((await execa(program, args, { env: { HEPHAESTUS_JOB_ID: jobA } })).exitCode).toBe(0);
    expect((await fixture.records()).claim).toMatchObject({ jobId: jobB, host: `${jobB}-worker-0` });
  });
});
