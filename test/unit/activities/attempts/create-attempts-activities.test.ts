import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
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
      { seed: 0, command: "sh '/inspire/it is/experiments/warmup-cosine/attempts/3/0/start.sh'" },
      { seed: 1, command: "sh '/inspire/it is/experiments/warmup-cosine/attempts/3/1/start.sh'" },
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

  it('says which job was first', async () => {
    await claim('job-1');
    expect(await run(async () => activities.revokeAttempt(key))).toEqual({ claimedBy: 'job-1' });
    expect((await readFile(join(folder, 'claim', 'job_id'), 'utf8')).trim()).toBe('job-1');
  });
});

const look = async (since: string | null) =>
  run(async () => activities.awaitRecordsChange({ ...key, since, pollSeconds: 10 }));

describe('awaitRecordsChange', () => {
  beforeEach(async () => {
    await run(async () => activities.writeAttempt(input()));
  });

  it('sees nothing, then a claim, then the end; heartbeats and output are no change', async () => {
    const nothing = await look(null);
    expect(nothing.records).toEqual({
      claim: null,
      heartbeatAt: null,
      silent: false,
      exit: null,
      duplicates: [],
      logTail: '',
    });
    await expect(look(nothing.fingerprint)).rejects.toMatchObject({
      type: 'RecordsUnchanged',
      category: 'BENIGN',
    });

    await claim('job-1');
    const claimed = await look(nothing.fingerprint);
    expect(claimed.records.claim).toEqual({ jobId: 'job-1', host: 'node', at: 1000 });

    await writeFile(join(folder, 'heartbeat.json'), '{"at":5}');
    await writeFile(join(folder, 'output.log'), 'epoch 1\n');
    await expect(look(claimed.fingerprint)).rejects.toMatchObject({ type: 'RecordsUnchanged' });

    await writeFile(
      join(folder, 'exit.json'),
      '{"code":0,"signal":null,"startedAt":1,"endedAt":2,"reason":null}',
    );
    const ended = await look(claimed.fingerprint);
    expect(ended.records).toMatchObject({ exit: { code: 0 }, heartbeatAt: 5, logTail: 'epoch 1\n' });

    await mkdir(join(folder, 'duplicates'));
    await writeFile(join(folder, 'duplicates', 'job-2.json'), '{}');
    expect((await look(ended.fingerprint)).records.duplicates).toEqual(['job-2']);
  });

  it('takes half a file for none', async () => {
    await writeFile(join(folder, 'exit.json'), '{"code":0,"sig');
    await writeFile(join(folder, 'heartbeat.json'), '');
    await mkdir(join(folder, 'claim'));
    await writeFile(join(folder, 'claim', 'job_id'), '');
    expect((await look(null)).records).toMatchObject({ claim: null, heartbeatAt: null, exit: null });
  });

  it('shows whole lines of the last 4 KB of output', async () => {
    await writeFile(join(folder, 'output.log'), `${'é'.repeat(3000)}\n${'x'.repeat(1000)}\nlast line\n`);
    expect((await look(null)).records.logTail).toBe(`${'x'.repeat(1000)}\nlast line\n`);
  });

  it('says what is missing when the folder was deleted', async () => {
    await rm(folder, { recursive: true });
    await expect(look(null)).rejects.toMatchObject({
      type: 'SharedDiskUnavailable',
      nonRetryable: false,
      message: expect.stringContaining(folder),
    });
  });
});

async function claim(jobId: string): Promise<void> {
  await mkdir(join(folder, 'claim'));
  await writeFile(join(folder, 'claim', 'job_id'), `${jobId}\n`);
  await writeFile(join(folder, 'claim', 'host'), 'node\n');
  await writeFile(join(folder, 'claim', 'time'), '1000\n');
}
