import { access, mkdir, readdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, describe, expect, inject, it, vi } from 'vitest';

import { makeAttempt, slowPath, type AttemptFixture } from './attempt-fixture.ts';
import { installedShells } from './installed-shells.ts';

const { uv } = inject('tools');
const jobA = 'job-00000000-0000-4000-8000-00000000000a';
const shells = await installedShells();

let fixture: AttemptFixture;

async function attempt(command: string): Promise<AttemptFixture> {
  fixture = await makeAttempt(uv, command);
  return fixture;
}

afterEach(async () => {
  await fixture.remove();
});

const trains = "trap 'echo last words; exit 3' TERM; echo ready; while :; do sleep 0.05; done";

describe.each(shells)('stopping start.sh under $name', ({ shell }) => {
  it('by stop.json ends the command as SIGTERM would, and the record says by what', async () => {
    const { start, logged, requestStop, records } = await attempt(trains);
    const job = start(shell, { jobId: jobA });
    await logged('ready');
    await requestStop();
    expect((await job).exitCode).toBe(3);
    await logged('last words');
    expect((await records()).exit).toMatchObject({
      code: 3,
      signal: 'TERM',
      reason: 'the job was told to stop by stop.json in its folder, and the command ended with code 3',
    });
  });

  it('by a stop.json that was there first lets nothing train', async () => {
    const { start, requestStop, records, source } = await attempt('echo x >> trained');
    await requestStop();
    expect((await start(shell, { jobId: jobA })).exitCode).toBe(143);
    const { exit, claim } = await records();
    expect(claim?.jobId).toBe(jobA);
    expect(exit).toMatchObject({
      code: 143,
      signal: 'TERM',
      reason: 'the job was told to stop by stop.json in its folder before the training began',
    });
    // And a restart of the same job neither.
    expect((await start(shell, { jobId: jobA })).exitCode).toBe(143);
    expect(await readdir(source)).not.toContain('trained');
  });

  it('kills a command that does not end', async () => {
    const { start, logged, records, setSeconds } = await attempt(
      "trap '' TERM INT; echo ready; while :; do sleep 0.05; done",
    );
    await setSeconds('stop_seconds', 2);
    const job = start(shell, { jobId: jobA });
    await logged('ready');
    job.kill('SIGTERM');
    expect((await job).exitCode).toBe(137);
    expect((await records()).exit).toMatchObject({ code: 137, signal: 'TERM' });
  });

  it('before the claim leaves none', async () => {
    const { start, folder, shared, records } = await attempt('echo x >> trained');
    const environment = { PATH: await slowPath(shared, 'uname') };
    const job = start(shell, { jobId: jobA, environment });
    await vi.waitFor(async () => access(join(shared, 'uname.began')), 10_000);
    job.kill('SIGTERM');
    expect((await job).exitCode).toBe(143);
    expect(await records()).toMatchObject({ claim: null, exit: null });
    expect((await readdir(folder)).toSorted()).toEqual(['attempt.json', 'start.sh']);
  });

  it('while the claim is taken leaves it with a record of the end', async () => {
    const { start, shared, source, records } = await attempt('echo x >> trained');
    const environment = { PATH: await slowPath(shared, 'mv') };
    const job = start(shell, { jobId: jobA, environment });
    await vi.waitFor(async () => access(join(shared, 'mv.began')), 10_000);
    job.kill('SIGTERM');
    expect((await job).exitCode).toBe(143);
    expect(await records()).toMatchObject({
      claim: { jobId: jobA },
      exit: { code: 143, signal: 'TERM', reason: 'the job was told to stop before the training began' },
    });
    expect(await readdir(source)).not.toContain('trained');
  });

  it('during the check does not wait for an environment that hangs', async () => {
    const { start, source, records } = await attempt('echo x >> trained');
    await unlink(join(source, '.venv'));
    await mkdir(join(source, '.venv', 'bin'), { recursive: true });
    await writeFile(join(source, '.venv', 'bin', 'activate'), '');
    await writeFile(join(source, '.venv', 'bin', 'python'), '#!/bin/sh\n: > checking\nexec sleep 60\n', {
      mode: 0o755,
    });
    const job = start(shell, { jobId: jobA });
    await vi.waitFor(async () => access(join(source, 'checking')), 10_000);
    const told = Date.now();
    job.kill('SIGTERM');
    expect((await job).exitCode).toBe(143);
    expect(Date.now() - told).toBeLessThan(20_000);
    expect((await records()).exit).toMatchObject({ code: 143, signal: 'TERM' });
  });

  it('after the command has ended changes nothing of how it ended', async () => {
    const { start, folder, shared, records } = await attempt('touch "$WANDB_DIR/trained"');
    const environment = { PATH: await slowPath(shared, 'mv') };
    const job = start(shell, { jobId: jobA, environment });
    await vi.waitFor(async () => access(join(folder, 'trained')), 20_000);
    // From here on the record is written, slowly, by a temporary file of its own.
    await vi.waitFor(
      async () => expect((await readdir(folder)).join(' ')).toMatch(/exit\.json\.\d+\.tmp/),
      20_000,
    );
    job.kill('SIGTERM');
    expect((await job).exitCode).toBe(0);
    expect((await records()).exit).toMatchObject({ code: 0, signal: null, reason: null });
  });

  it('ends another node that waits for the claim', async () => {
    const { start, records, folder } = await attempt('true');
    const environment = { PATH: await slowPath(folder, 'sleep'), PET_NODE_RANK: '1' };
    const job = start(shell, { jobId: jobA, environment });
    await vi.waitFor(async () => access(join(folder, 'sleep.began')), 10_000);
    job.kill('SIGTERM');
    expect((await job).exitCode).toBe(143);
    expect(await records()).toMatchObject({ claim: null, exit: null });
  });
});
