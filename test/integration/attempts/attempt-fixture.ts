import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { MockActivityEnvironment } from '@temporalio/testing';
import { execa } from 'execa';
import { expect, vi } from 'vitest';

import { createAttemptsActivities } from '../../../activities/attempts/create-attempts-activities.ts';
import type { SeenRecords } from '../../../activities/attempts/interface.ts';
import type { JobRecords } from '../../../domain/job.ts';
import type { TaskNote } from '../../../domain/task-note.ts';
import { exampleNote } from '../../support/example-note.ts';
import { writeProofBeside } from '../../support/proof-beside.ts';

/** A program and its arguments: `busybox start.sh` would ask for an applet of that name. */
export type Shell = readonly [string, ...string[]];

/** An attempt of one seed on a shared disk of its own, with a real environment. */
export interface AttemptFixture {
  readonly shared: string;
  readonly source: string;
  readonly folder: string;
  readonly start: (
    shell: Shell,
    options?: { jobId?: string; environment?: Record<string, string> },
  ) => StartedJob;
  /** Takes every trace of a job away, as if the attempt had only just been written down. */
  readonly reset: () => Promise<void>;
  readonly records: () => Promise<JobRecords>;
  readonly read: (name: string) => Promise<string>;
  /** Gives one of the script's own times, for example `stop_seconds`, another value. */
  readonly setSeconds: (name: string, seconds: number) => Promise<void>;
  readonly requestStop: () => Promise<void>;
  /** Ends as soon as the log holds the text. */
  readonly logged: (text: string) => Promise<void>;
  readonly remove: () => Promise<void>;
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
  await writeProofBeside(join(root, 'environment'));
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
      type Look = () => Promise<SeenRecords>;
      const seen = await temporal.run<[], SeenRecords, Look>(async () =>
        activities.awaitRecordsChange({ ...key, since: null, pollSeconds: 1 }),
      );
      return seen.records;
    },
    read: (name) => readFile(join(folder, name), 'utf8'),
    setSeconds: async (name, seconds) => {
      const path = join(folder, 'start.sh');
      const script = await readFile(path, 'utf8');
      const changed = script.replace(new RegExp(`^${name}=\\d+$`, 'm'), `${name}=${seconds}`);
      if (changed === script) throw new Error(`start.sh sets no ${name}`);
      await writeFile(path, changed);
    },
    requestStop: async () => temporal.run(async () => activities.requestStop(key)),
    logged: async (text) =>
      vi.waitFor(
        async () => expect(await readFile(join(folder, 'output.log'), 'utf8')).toContain(text),
        20_000,
      ),
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

/**
 * A search path on which a program takes its time, so that all of many have looked before the first has acted. That
 * it was started is told by a file `<program>.began` in the folder.
 */
export async function slowPath(folder: string, program: string): Promise<string> {
  const { stdout: path } = await execa('sh', ['-c', 'printf %s "$PATH"']);
  const { stdout: sleep } = await execa('sh', ['-c', 'command -v sleep']);
  const { stdout: real } = await execa('sh', ['-c', `command -v ${program}`]);
  await writeFile(
    join(folder, program),
    `#!/bin/sh\n: > '${folder}/${program}.began'\n${sleep} 0.7\nexec ${real} "$@"\n`,
    { mode: 0o755 },
  );
  return `${folder}:${path}`;
}
