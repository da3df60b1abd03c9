import { access, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { execa } from 'execa';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';

import { makeAttempt, slowPath, type AttemptFixture } from './attempt-fixture.ts';
import { installedShells } from './installed-shells.ts';

const { uv } = inject('tools');
const jobA = 'job-00000000-0000-4000-8000-00000000000a';
const jobB = 'job-00000000-0000-4000-8000-00000000000b';
const shells = await installedShells();

let fixture: AttemptFixture;

async function attempt(command: string): Promise<AttemptFixture> {
  fixture = await makeAttempt(uv, command);
  return fixture;
}

afterEach(async () => {
  await fixture.remove();
});

/** As a node leaves it that was switched off: whatever this machine knows of its processes says nothing of that one's. */
async function leaveHeartbeat(folder: string, at: number): Promise<void> {
  const beat = { at, job_id: jobA, phase: 'training', pid: 1, space: 'another machine', gpuSeconds: 40 };
  await writeFile(join(folder, 'heartbeat.json'), `${JSON.stringify(beat)}\n`);
}

async function leaveClaim(folder: string): Promise<void> {
  await mkdir(join(folder, 'claim'));
  await writeFile(join(folder, 'claim', 'job_id'), `${jobA}\n`);
}

/** The first round trains until it is killed; the second ends. */
const twoRounds = 'echo x >> turns; if [ "$(wc -l < turns)" -lt 2 ]; then echo ready; sleep 60; fi';

describe.each(shells)('a restart of start.sh under $name', ({ shell }) => {
  it('goes on after a first round that was killed on this machine', async () => {
    const { start, logged, records, source, folder } = await attempt('python train.py; true');
    await writeFile(
      join(source, 'train.py'),
      'import time\nopen("alive", "a").write("x")\nprint("ready", flush=True)\n' +
        'time.sleep(0.01 if open("alive").read() == "xx" else 60)\n',
    );
    const first = start(shell, { jobId: jobA });
    await logged('ready');
    first.kill('SIGKILL');
    await first;
    expect((await records()).exit).toBeNull();
    const began = Date.now();
    expect((await start(shell, { jobId: jobA })).exitCode).toBe(0);
    // Known to be dead: not watched for long.
    expect(Date.now() - began).toBeLessThan(20_000);
    expect((await records()).exit).toMatchObject({ code: 0, reason: null });
    const left = await execa('sh', ['-c', 'grep -lsF "$1" /proc/[0-9]*/environ | wc -l', 'sh', folder]);
    expect(left.stdout.trim()).toBe('0');
    expect((await execa('cat', [join(source, 'alive')])).stdout).toBe('xx');
  });

  it('waits until the heartbeat of another machine stands still', async () => {
    const { start, folder, setSeconds, records, source } = await attempt('echo x >> turns');
    await setSeconds('quiet_seconds', 3);
    await leaveClaim(folder);
    await leaveHeartbeat(folder, 1);
    const job = start(shell, { jobId: jobA });
    let at = 1;
    const beating = setInterval(() => void leaveHeartbeat(folder, (at += 1)), 500);
    try {
      // Longer than a heartbeat may stand still.
      await vi.waitFor(() => expect(at).toBeGreaterThan(10), 20_000);
      expect(await readdir(source)).not.toContain('turns');
    } finally {
      clearInterval(beating);
    }
    expect((await job).exitCode).toBe(0);
    const { exit, duplicates } = await records();
    expect(exit).toMatchObject({ code: 0 });
    expect(duplicates).toEqual([]);
  });

  it('leaves when another of its own id goes on, and says nothing in its name', async () => {
    const { start, folder, setSeconds, records, source } = await attempt('echo x >> turns');
    await setSeconds('quiet_seconds', 30);
    await setSeconds('twin_seconds', 2);
    await leaveClaim(folder);
    await leaveHeartbeat(folder, 1);
    const job = await start(shell, { jobId: jobA });
    expect(job).toMatchObject({ exitCode: 75, stderr: expect.stringContaining('another process of') });
    expect(await records()).toMatchObject({ exit: null, duplicates: [], heartbeatAt: 1 });
    expect(await readdir(source)).not.toContain('turns');
  });

  it('goes on after a round that failed, keeps its record, and adds its GPU time', async () => {
    const { start, records, read } = await attempt('echo x >> turns; [ "$(wc -l < turns)" -ge 2 ]');
    const environment = { CUDA_VISIBLE_DEVICES: '0,1', PET_NNODES: '200' };
    expect((await start(shell, { jobId: jobA, environment })).exitCode).toBe(1);
    const first = (await records()).exit;
    expect(first?.gpuSeconds).toBeGreaterThan(0);
    expect((await start(shell, { jobId: jobA, environment })).exitCode).toBe(0);
    const { exit } = await records();
    const own = ((exit?.endedAt ?? 0) - (exit?.startedAt ?? 0)) * 0.4;
    expect(Math.abs((exit?.gpuSeconds ?? 0) - (first?.gpuSeconds ?? 0) - own)).toBeLessThanOrEqual(1);
    expect(JSON.parse(await read('exit.previous.json'))).toMatchObject({ code: 1 });
  });

  it('counts each time a job is turned away', async () => {
    const { start, records } = await attempt('true');
    await start(shell, { jobId: jobA });
    for (let time = 0; time < 2; time += 1) expect((await start(shell, { jobId: jobB })).exitCode).toBe(75);
    const { duplicates, exit } = await records();
    expect(duplicates.map(({ jobId }) => jobId)).toEqual([jobB, jobB]);
    for (const { startedAt, endedAt } of duplicates) {
      expect(startedAt).toBeGreaterThanOrEqual(exit?.endedAt ?? Infinity);
      expect(endedAt).toBeGreaterThanOrEqual(startedAt);
    }
  });

  it('is followed by other nodes, also when they are others than before', async () => {
    const { start, logged, read, records } = await attempt(`${twoRounds}; echo "node $PET_NODE_RANK"`);
    const first = start(shell, { jobId: jobA, environment: { PET_NODE_RANK: '0' } });
    await logged('ready');
    first.kill('SIGTERM');
    await first;
    const [leader, follower, stranger] = await Promise.all([
      start(shell, { jobId: jobA, environment: { PET_NODE_RANK: '0' } }),
      start(shell, { jobId: jobA, environment: { PET_NODE_RANK: '1' } }),
      start(shell, { jobId: jobB, environment: { PET_NODE_RANK: '1' } }),
    ]);
    expect([leader.exitCode, follower.exitCode, stranger.exitCode]).toEqual([0, 0, 75]);
    expect(await read('output.1.log')).toContain('node 1');
    expect((await records()).duplicates.map(({ jobId }) => jobId)).toEqual([jobB]);
  });

  it('takes the claim anew when it was killed while it took it', async () => {
    const { start, shared, folder, records } = await attempt('true');
    const slow = { PATH: await slowPath(shared, 'mv') };
    const first = start(shell, { jobId: jobA, environment: slow });
    await vi.waitFor(async () => access(join(shared, 'mv.began')), 10_000);
    first.kill('SIGKILL');
    await first;
    expect((await start(shell, { jobId: jobA })).exitCode).toBe(0);
    expect((await records()).claim?.jobId).toBe(jobA);
    expect(await readdir(join(folder, 'claim'))).toEqual(['host', 'job_id', 'time']);
  });
});
