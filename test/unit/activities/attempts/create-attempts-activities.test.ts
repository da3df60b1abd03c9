import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createAttemptsActivities } from '../../../../activities/attempts/create-attempts-activities.ts';
import type { AttemptsActivities, WriteAttemptInput } from '../../../../activities/attempts/interface.ts';
import { exampleNote } from '../../../support/example-note.ts';

const temporal = new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
const run = async <T>(work: () => Promise<T>): Promise<T> => temporal.run<[], T, () => Promise<T>>(work);
const key = { experimentId: 'warmup-cosine', attempt: 3, seed: 1 };

let shared: string;
let folder: string;
let activities: AttemptsActivities;

beforeEach(async () => {
  shared = await mkdtemp(join(tmpdir(), 'shared-'));
  folder = join(shared, 'experiments', 'warmup-cosine', 'attempts', '3', '1');
  activities = createAttemptsActivities({
    disk: { sharedDir: shared, jobSharedDir: '/inspire/it is' },
    wandb: {},
  });
});
afterEach(async () => {
  await rm(shared, { recursive: true, force: true });
});

function input(changes: Partial<WriteAttemptInput> = {}): WriteAttemptInput {
  return {
    experimentId: 'warmup-cosine',
    attempt: 3,
    headSha: 'a'.repeat(40),
    environmentDigest: 'digest',
    note: exampleNote(),
    runs: [
      { seed: 0, runId: 'run-0' },
      { seed: 1, runId: 'run-1' },
    ],
    ...changes,
  };
}

describe('writeAttempt', () => {
  it('writes both files of every seed and returns the command as the job sees it', async () => {
    expect(await run(async () => activities.writeAttempt(input()))).toEqual([
      { seed: 0, command: "exec sh '/inspire/it is/experiments/warmup-cosine/attempts/3/0/start.sh'" },
      { seed: 1, command: "exec sh '/inspire/it is/experiments/warmup-cosine/attempts/3/1/start.sh'" },
    ]);
    expect(JSON.parse(await readFile(join(folder, 'attempt.json'), 'utf8'))).toMatchObject({
      key: 'warmup-cosine/3/1',
      headSha: 'a'.repeat(40),
      environmentDigest: 'digest',
      runId: 'run-1',
    });
    expect((await stat(join(folder, 'start.sh'))).mode & 0o777).toBe(0o755);
    expect(await readFile(join(folder, 'start.sh'), 'utf8')).toContain('train.py --seed 1');
  });

  it('leaves everything as it is when it runs again, and mends what a crash left out', async () => {
    await run(async () => activities.writeAttempt(input()));
    const before = await Promise.all(
      ['attempt.json', 'start.sh'].map(async (name) => stat(join(folder, name))),
    );
    await run(async () => activities.writeAttempt(input()));
    const after = await Promise.all(
      ['attempt.json', 'start.sh'].map(async (name) => stat(join(folder, name))),
    );
    expect(after.map(({ ino, mtimeMs }) => [ino, mtimeMs])).toEqual(
      before.map(({ ino, mtimeMs }) => [ino, mtimeMs]),
    );

    await rm(join(folder, 'start.sh'));
    await run(async () => activities.writeAttempt(input()));
    expect((await stat(join(folder, 'start.sh'))).size).toBe(before[1]?.size);
  });

  it.each([
    [{ headSha: 'b'.repeat(40) }, /headSha was "a+" and is now "b+"/],
    [{ environmentDigest: 'other' }, /environmentDigest/],
    [{ runs: [{ seed: 1, runId: 'run-2' }] }, /runId/],
    [{ note: exampleNote({ job: { ...exampleNote().job, command: 'rm -rf {seed}' } }) }, /noteDigest/],
  ])('refuses another input for the same key: %#', async (changes, message) => {
    await run(async () => activities.writeAttempt(input()));
    const before = await readFile(join(folder, 'start.sh'), 'utf8');
    await expect(run(async () => activities.writeAttempt(input(changes)))).rejects.toMatchObject({
      type: 'AttemptConflict',
      nonRetryable: true,
      message: expect.stringMatching(message),
    });
    expect(await readFile(join(folder, 'start.sh'), 'utf8')).toBe(before);
  });

  it('takes a note for the same however its keys are ordered', async () => {
    await run(async () => activities.writeAttempt(input()));
    const note = exampleNote();
    const turned = Object.fromEntries(Object.entries(note).toReversed()) as typeof note;
    await expect(run(async () => activities.writeAttempt(input({ note: turned })))).resolves.toHaveLength(2);
  });

  it('says what is missing when the disk is not there, and makes no folder in its place', async () => {
    await rm(shared, { recursive: true });
    await expect(run(async () => activities.writeAttempt(input()))).rejects.toMatchObject({
      type: 'SharedDiskUnavailable',
      message: expect.stringContaining(shared),
    });
    await expect(stat(shared)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('refuses a folder in which a job was before it', async () => {
    await mkdir(join(folder, 'claim'), { recursive: true });
    await expect(run(async () => activities.writeAttempt(input()))).rejects.toMatchObject({
      type: 'AttemptConflict',
      nonRetryable: true,
      message: expect.stringMatching(/claim is older than the attempt/),
    });
    await expect(stat(join(folder, 'attempt.json'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('runs again beside the claim of its own job', async () => {
    await run(async () => activities.writeAttempt(input()));
    await claim('job-1');
    await expect(run(async () => activities.writeAttempt(input()))).resolves.toHaveLength(2);
  });

  it.each(['attempt.json', 'start.sh'])('does not write through a link in the place of %s', async (name) => {
    const elsewhere = join(shared, 'elsewhere');
    await writeFile(elsewhere, 'precious');
    await mkdir(folder, { recursive: true });
    await symlink(elsewhere, join(folder, name));
    await expect(run(async () => activities.writeAttempt(input()))).rejects.toMatchObject({
      type: 'AttemptConflict',
      message: expect.stringContaining('symbolic link'),
    });
    expect(await readFile(elsewhere, 'utf8')).toBe('precious');
  });

  it.each(['{"key":', '[]', ''])('refuses an attempt.json that holds %j', async (text) => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'attempt.json'), text);
    await expect(run(async () => activities.writeAttempt(input()))).rejects.toMatchObject({
      type: 'AttemptConflict',
    });
  });

  it('does not leave the disk by an id that is a path', async () => {
    await expect(
      run(async () => activities.writeAttempt(input({ experimentId: '../x' }))),
    ).rejects.toMatchObject({
      type: 'TaskNoteInvalid',
    });
  });
});

describe('revokeAttempt', () => {
  beforeEach(async () => {
    await run(async () => activities.writeAttempt(input()));
  });

  it('takes a claim that nobody holds, and finds it again', async () => {
    expect(await run(async () => activities.revokeAttempt(key))).toEqual({ claimedBy: null });
    expect(await run(async () => activities.revokeAttempt(key))).toEqual({ claimedBy: null });
    const { records } = await run(async () =>
      activities.awaitRecordsChange({ ...key, since: null, pollSeconds: 1 }),
    );
    expect(records.claim).toBeNull();
  });

  it.each([
    ['a folder without a job id', async (path: string) => writeFile(join(path, 'host'), 'node\n')],
    [
      'a file',
      async (path: string) => {
        await rm(path, { recursive: true });
        await writeFile(path, 'x');
      },
    ],
  ])('does not take a claim that is %s for its own', async (_, spoil) => {
    await mkdir(join(folder, 'claim'));
    await spoil(join(folder, 'claim'));
    await expect(run(async () => activities.revokeAttempt(key))).rejects.toMatchObject({
      type: 'SharedDiskUnavailable',
      nonRetryable: false,
    });
  });

  it('says which job was first', async () => {
    await claim('job-1');
    expect(await run(async () => activities.revokeAttempt(key))).toEqual({ claimedBy: 'job-1' });
    expect((await readFile(join(folder, 'claim', 'job_id'), 'utf8')).trim()).toBe('job-1');
  });
});

describe('requestStop', () => {
  it('leaves one word for the job, the first one', async () => {
    await run(async () => activities.writeAttempt(input()));
    await run(async () => activities.requestStop(key));
    const first = await readFile(join(folder, 'stop.json'), 'utf8');
    expect(JSON.parse(first)).toEqual({ at: expect.any(Number) });
    await run(async () => activities.requestStop(key));
    expect(await readFile(join(folder, 'stop.json'), 'utf8')).toBe(first);
  });

  it('says what is missing when the folder was deleted, and makes none', async () => {
    await expect(run(async () => activities.requestStop(key))).rejects.toMatchObject({
      type: 'SharedDiskUnavailable',
      message: expect.stringContaining(folder),
    });
    await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

async function claim(jobId: string): Promise<void> {
  await mkdir(join(folder, 'claim'));
  await writeFile(join(folder, 'claim', 'job_id'), `${jobId}\n`);
}
