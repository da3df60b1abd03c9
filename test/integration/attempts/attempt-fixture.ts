import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { MockActivityEnvironment } from '@temporalio/testing';
import { execa } from 'execa';

import { createAttemptsActivities } from '../../../activities/attempts/create-attempts-activities.ts';
import type { JobRecords } from '../../../domain/job.ts';
import type { TaskNote } from '../../../domain/task-note.ts';
import { exampleNote } from '../../support/example-note.ts';

/** A program and its arguments: `busybox start.sh` would ask for an applet of that name. */
export type Shell = readonly [string, ...string[]];

/** An attempt of one seed on a shared disk of its own, with a real environment. */
export interface AttemptFixture {
  readonly shared: string;
  readonly source: string;
  readonly folder: string;
  start(shell: Shell, options?: { jobId?: string; environment?: Record<string, string> }): StartedJob;
  /** Takes every trace of a job away, as if the attempt had only just been written down. */
  reset(): Promise<void>;
  records(): Promise<JobRecords>;
  read(name: string): Promise<string>;
  remove(): Promise<void>;
}

export type StartedJob = ReturnType<typeof startJob>;

const key = { experimentId: 'warmup-cosine', attempt: 1, seed: 2 };

export async function makeAttempt(
  uv: string,
  command: string,
  options: { name?: string; wandb?: Partial<TaskNote['wandb']> } = {},
): Promise<AttemptFixture> {
  const root = await mkdtemp(join(tmpdir(), 'attempt-'));
  const shared = join(root, options.name ?? 'shared');
  const source = join(shared, 'experiments', key.experimentId, 'source');
  await mkdir(source, { recursive: true });
  await execa(uv, ['venv', '--quiet', '--no-config', '--relocatable', join(root, 'environment')]);
  await symlink(join(root, 'environment'), join(source, '.venv'));
  const base = exampleNote();
  const note = { ...base, job: { ...base.job, command }, wandb: { ...base.wandb, ...options.wandb } };
  const activities = createAttemptsActivities({
    disk: { sharedDir: shared, jobSharedDir: shared },
    wandb: {},
  });
  const temporal = new MockActivityEnvironment();
  await temporal.run(async () =>
    activities.writeAttempt({
      ...key,
      headSha: 'a'.repeat(40),
      environmentDigest: 'digest',
      note,
      runs: [{ seed: key.seed, runId: 'warmup-cosine-a1-s2-x' }],
    }),
  );
  const folder = join(shared, 'experiments', key.experimentId, 'attempts', '1', '2');
  return {
    shared,
    source,
    folder,
    start: (shell, { jobId, environment } = {}) =>
      startJob(shell, folder, { ...(jobId && { HEPHAESTUS_JOB_ID: jobId }), ...environment }),
    records: async () => {
      const seen = await temporal.run(async () =>
        activities.awaitRecordsChange({ ...key, since: null, pollSeconds: 1 }),
      );
      return seen.records;
    },
    read: (name) => readFile(join(folder, name), 'utf8'),
    reset: async () => {
      const kept = new Set(['attempt.json', 'start.sh']);
      const left = (await readdir(folder)).filter((name) => !kept.has(name));
      await Promise.all(left.map(async (name) => rm(join(folder, name), { recursive: true, force: true })));
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

function startJob([program, ...args]: Shell, folder: string, environment: Record<string, string>) {
  return execa(program, [...args, join(folder, 'start.sh')], {
    reject: false,
    // A job that does not end by itself when it is told to must be noticed.
    forceKillAfterDelay: false,
    extendEnv: false,
    // oxlint-disable-next-line node/no-process-env -- only the search path: a job's environment is almost empty
    env: { PATH: process.env['PATH'], ...environment },
  });
}
