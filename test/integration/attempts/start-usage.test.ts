import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { execa } from 'execa';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';

import { detectIsolation } from '../../../infra/isolation/isolation.ts';
import { makeAttempt, type AttemptFixture } from './attempt-fixture.ts';
import { installedShells } from './installed-shells.ts';

const { uv } = inject('tools');
const jobA = 'job-00000000-0000-4000-8000-00000000000a';
const shells = await installedShells();
const isolation = await detectIsolation();

let fixture: AttemptFixture;

async function attempt(command: string): Promise<AttemptFixture> {
  fixture = await makeAttempt(uv, command);
  return fixture;
}

afterEach(async () => {
  await fixture.remove();
});

/** Holds 200 MB in a grandchild with a session of its own, as launchers of distributed training do, until the folder has a file. */
const memoryHog = `import os, subprocess, sys, time
if len(sys.argv) > 1:
    held = b"x" * 200_000_000
    print("held", flush=True)
    while not os.path.exists("go"):
        time.sleep(0.05)
else:
    subprocess.run([sys.executable, "hog.py", "inner"], start_new_session=True, check=True)
`;

async function withDriver(folder: string, script: string): Promise<string> {
  await writeFile(join(folder, 'nvidia-smi'), script, { mode: 0o755 });
  const { stdout: path } = await execa('sh', ['-c', 'printf %s "$PATH"']);
  return `${folder}:${path}`;
}

const twoGpus =
  '#!/bin/sh\necho "GPU 0: NVIDIA H100 (UUID: GPU-1)"\necho "  MIG 1g.10gb (UUID: MIG-1)"\necho "GPU 1: NVIDIA H100 (UUID: GPU-2)"\n';

describe.each(shells)('what a job used, by start.sh under $name', ({ shell }) => {
  it('is the memory of all that came of the command, and says the phase meanwhile', async () => {
    const { start, source, logged, read, records } = await attempt('python hog.py');
    await writeFile(join(source, 'hog.py'), memoryHog);
    const job = start(shell, { jobId: jobA });
    await logged('held');
    await vi.waitFor(async () => {
      const beat: unknown = JSON.parse(await read('heartbeat.json'));
      expect(beat).toMatchObject({ job_id: jobA, phase: 'training' });
      expect(beat).toHaveProperty('peakMemoryBytes', expect.any(Number));
      expect((beat as { peakMemoryBytes: number }).peakMemoryBytes).toBeGreaterThan(200_000_000);
    }, 25_000);
    await writeFile(join(source, 'go'), '');
    expect((await job).exitCode).toBe(0);
    const peak = (await records()).exit?.peakMemoryBytes ?? 0;
    expect(peak).toBeGreaterThan(200_000_000);
    expect(peak).toBeLessThan(400_000_000);
  });

  it.each([
    ['the driver shows', { driver: twoGpus, environment: { CUDA_VISIBLE_DEVICES: '0' }, gpus: 2 }],
    [
      'the node was given, where the driver fails',
      { driver: '#!/bin/sh\nexit 9\n', environment: { CUDA_VISIBLE_DEVICES: 'GPU-a,GPU-b,GPU-c' }, gpus: 3 },
    ],
    ['the container was given', { environment: { NVIDIA_VISIBLE_DEVICES: '0,1' }, gpus: 2 }],
    ['none', { environment: { NVIDIA_VISIBLE_DEVICES: 'void' }, gpus: 0 }],
    ['nobody tells of', { environment: { NVIDIA_VISIBLE_DEVICES: 'all' }, gpus: null }],
    [
      'on nodes nobody can count',
      { environment: { CUDA_VISIBLE_DEVICES: '0', PET_NNODES: '1:4' }, gpus: null },
    ],
  ])('is the time of the GPUs that %s', async (_, { driver, environment, gpus }: UsageCase) => {
    const { start, shared, records } = await attempt('true');
    const PATH = driver === undefined ? undefined : await withDriver(shared, driver);
    await start(shell, {
      jobId: jobA,
      environment: { PET_NNODES: '1000', ...environment, ...(PATH && { PATH }) },
    });
    const { exit } = await records();
    if (gpus === null) {
      expect(exit).toMatchObject({ code: 0, gpuSeconds: null });
      return;
    }
    const seconds = ((exit?.endedAt ?? NaN) - (exit?.startedAt ?? NaN)) / 1000;
    expect(exit?.gpuSeconds).toBe(Math.round(seconds * 1000 * gpus));
  });
});

interface UsageCase {
  readonly driver?: string;
  readonly environment: Record<string, string>;
  readonly gpus: number | null;
}

it.skipIf(isolation !== 'namespaces')(
  "takes the kernel's own peak where the control group is the container's",
  async () => {
    const { folder, records } = await attempt('true');
    const script =
      'mount -t tmpfs none /sys/fs/cgroup && echo 123456789 > /sys/fs/cgroup/memory.peak && exec sh "$1"';
    const inside = ['sh', '-c', script, 'sh', join(folder, 'start.sh')];
    const unshare = ['--map-root-user', '--mount', '--cgroup', '--', ...inside];
    expect(
      (await execa('sh', ['-c', 'exec unshare "$@"', 'sh', ...unshare], { env: { HEPHAESTUS_JOB_ID: jobA } }))
        .exitCode,
    ).toBe(0);
    expect((await records()).exit?.peakMemoryBytes).toBe(123_456_789);
  },
);
