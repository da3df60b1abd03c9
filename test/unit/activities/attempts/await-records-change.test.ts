import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createAttemptsActivities } from '../../../../activities/attempts/create-attempts-activities.ts';
import type { AttemptsActivities, SeenRecords } from '../../../../activities/attempts/interface.ts';

const key = { experimentId: 'warmup-cosine', attempt: 3, seed: 1 };
const minute = 60_000;

let shared: string;
let folder: string;
let activities: AttemptsActivities;
/** What the last look left for the next, as the server keeps it over failed tries and dead workers. */
let details: unknown;

beforeEach(async () => {
  details = undefined;
  shared = await mkdtemp(join(tmpdir(), 'shared-'));
  folder = join(shared, 'experiments', 'warmup-cosine', 'attempts', '3', '1');
  activities = createAttemptsActivities({ disk: { sharedDir: shared, jobSharedDir: shared }, wandb: {} });
  await mkdir(folder, { recursive: true });
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(shared, { recursive: true, force: true });
});

/** One try. A change of `since` is another activity, to which nothing is left. */
async function look(since: string | null, unchangedMs = 0): Promise<SeenRecords> {
  const environment = new MockActivityEnvironment(
    {
      heartbeatDetails: details,
      scheduledTimestampMs: 1,
      currentAttemptScheduledTimestampMs: 1 + unchangedMs,
    },
    { logger: new DefaultLogger('ERROR') },
  );
  environment.on('heartbeat', (left: unknown) => (details = left));
  type Look = () => Promise<SeenRecords>;
  return environment.run<[], SeenRecords, Look>(async () =>
    activities.awaitRecordsChange({ ...key, since, pollSeconds: 10 }),
  );
}

async function nextActivity(since: string | null): Promise<SeenRecords> {
  details = undefined;
  return look(since);
}

async function delayAfter(unchangedMs: number): Promise<number> {
  const failure: unknown = await look('nothing', unchangedMs).catch((error: unknown) => error);
  return Number((failure as { nextRetryDelay: unknown }).nextRetryDelay);
}

const unchanged = { type: 'RecordsUnchanged', category: 'BENIGN', nonRetryable: false };
const exited =
  '{"code":0,"signal":null,"startedAt":1,"endedAt":2,"reason":null,"peakMemoryBytes":5,"gpuSeconds":8}';

async function claim(jobId: string): Promise<void> {
  await mkdir(join(folder, 'claim'));
  await writeFile(join(folder, 'claim', 'job_id'), `${jobId}\n`);
  await writeFile(join(folder, 'claim', 'host'), 'node\n');
  await writeFile(join(folder, 'claim', 'time'), '1000\n');
}

const beat = async (at: number) => writeFile(join(folder, 'heartbeat.json'), `{"at":${at}}`);

describe('awaitRecordsChange', () => {
  it('sees nothing, then a claim, then the end; heartbeats and output are no change', async () => {
    const nothing = await look(null);
    expect(nothing).toEqual({
      fingerprint: 'nothing',
      records: { claim: null, heartbeatAt: null, silent: false, exit: null, duplicates: [], logTail: '' },
    });
    await expect(look('nothing')).rejects.toMatchObject(unchanged);

    await claim('job-1');
    const claimed = await look('nothing');
    expect(claimed.records.claim).toEqual({ jobId: 'job-1', host: 'node', at: 1000 });

    await beat(5);
    await writeFile(join(folder, 'output.log'), 'epoch 1\n');
    await expect(look(claimed.fingerprint)).rejects.toMatchObject(unchanged);

    await writeFile(join(folder, 'exit.json'), exited);
    const ended = await look(claimed.fingerprint);
    expect(ended.records).toMatchObject({
      exit: { code: 0, peakMemoryBytes: 5, gpuSeconds: 8 },
      heartbeatAt: 5,
      logTail: 'epoch 1\n',
    });

    await mkdir(join(folder, 'duplicates'));
    const duplicate = { job_id: 'job-2', startedAt: 7, endedAt: 9, host: 'x' };
    await writeFile(join(folder, 'duplicates', 'job-2.7.0.json'), JSON.stringify(duplicate));
    await writeFile(join(folder, 'duplicates', 'job-3.7.0.json'), '{"job_id":"job-3"');
    expect((await look(ended.fingerprint)).records.duplicates).toEqual([
      { jobId: 'job-2', startedAt: 7, endedAt: 9 },
    ]);
  });

  it('shows whole lines of the last 4 KB of output', async () => {
    await writeFile(join(folder, 'output.log'), `${'é'.repeat(3000)}\n${'x'.repeat(1000)}\nlast line\n`);
    expect((await look(null)).records.logTail).toBe(`${'x'.repeat(1000)}\nlast line\n`);
  });

  it('says what is missing when the folder or the disk is gone', async () => {
    for (const gone of [folder, shared]) {
      await rm(gone, { recursive: true });
      await expect(look('nothing')).rejects.toMatchObject({
        type: 'SharedDiskUnavailable',
        nonRetryable: false,
        message: expect.stringContaining(`expected a folder at ${gone}`),
      });
    }
  });

  it('looks more seldom the longer nothing changes', async () => {
    expect(await delayAfter(0)).toBeLessThanOrEqual(11_000);
    expect(await delayAfter(0)).toBeGreaterThanOrEqual(9000);
    expect(await delayAfter(20 * minute)).toBeGreaterThan(25_000);
    expect(await delayAfter(30 * 24 * 60 * minute)).toBeLessThanOrEqual(110_000);
  });
});

describe('what is not as it should be', () => {
  it('half a file counts as none', async () => {
    await writeFile(join(folder, 'exit.json'), '{"code":0,"sig');
    await writeFile(join(folder, 'heartbeat.json'), '');
    await mkdir(join(folder, 'claim'));
    await writeFile(join(folder, 'claim', 'job_id'), '');
    expect((await look(null)).fingerprint).toBe('nothing');
  });

  it.each([
    'null',
    '"x"',
    '{"code":"0"}',
    '{"code":0.5,"signal":null,"startedAt":1,"endedAt":2,"reason":null}',
    '\0\0',
  ])('an exit record of %j counts as none', async (text) => {
    await writeFile(join(folder, 'exit.json'), text);
    expect((await look(null)).records.exit).toBeNull();
  });

  it('what a node could not tell of its use does not take the end with it', async () => {
    await writeFile(join(folder, 'exit.json'), exited.replace('5', '"much"').replace('8', '-1'));
    expect((await look(null)).records.exit).toMatchObject({
      code: 0,
      peakMemoryBytes: null,
      gpuSeconds: null,
    });
  });

  it('a claim that was taken back is nobody’s', async () => {
    await claim('(revoked)');
    await writeFile(join(folder, 'claim', 'revoked'), '1\n');
    expect((await look(null)).fingerprint).toBe('nothing');
  });

  it('a claim with its job id alone is one', async () => {
    await mkdir(join(folder, 'claim'));
    await writeFile(join(folder, 'claim', 'job_id'), 'job-1\n');
    expect((await look(null)).records.claim).toEqual({ jobId: 'job-1', host: '', at: 0 });
  });

  it('no link is followed, no pipe waited for, and no giant read', async () => {
    const secret = join(shared, 'secret');
    await writeFile(secret, exited);
    await symlink(secret, join(folder, 'exit.json'));
    await symlink(secret, join(folder, 'output.log'));
    await symlink(shared, join(folder, 'claim'));
    await writeFile(join(shared, 'job_id'), 'job-1\n');
    await mkdir(join(folder, 'duplicates'));
    await execa('sh', ['-c', 'mkfifo "$1"', 'sh', join(folder, 'duplicates', 'pipe.json')]);
    await writeFile(join(folder, 'heartbeat.json'), '{"at":1}');
    await truncate(join(folder, 'heartbeat.json'), 3_000_000_000);
    const { records, fingerprint } = await look(null);
    expect(fingerprint).toBe('nothing');
    expect(records).toMatchObject({ heartbeatAt: null, logTail: '' });
  });
});

describe('silence', () => {
  let since: string;

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    await claim('job-1');
    // An hour behind: what counts is that it moves.
    await beat(Date.now() - 60 * minute);
    since = (await look(null)).fingerprint;
  });

  async function lookEvery(minutes: number, times: number): Promise<void> {
    for (let time = 0; time < times; time += 1) {
      vi.setSystemTime(Date.now() + minutes * minute);
      await expect(look(since)).rejects.toMatchObject(unchanged);
    }
  }

  it('is told after a quarter of an hour of looks at one heartbeat, and once', async () => {
    await lookEvery(5, 2);
    vi.setSystemTime(Date.now() + 5 * minute);
    const silent = await look(since);
    expect(silent.records.silent).toBe(true);

    await expect(nextActivity(silent.fingerprint)).rejects.toMatchObject(unchanged);
    await beat(Date.now());
    const again = await look(silent.fingerprint);
    expect(again).toMatchObject({ fingerprint: since, records: { silent: false } });
  });

  it('is told of a job that claimed and never beat', async () => {
    await rm(join(folder, 'heartbeat.json'));
    await lookEvery(5, 3);
    vi.setSystemTime(Date.now() + 5 * minute);
    expect((await look(since)).records.silent).toBe(true);
  });

  it('is not told while the heartbeat moves, whatever time it names', async () => {
    for (const skew of [-60, 60, 0, -3000]) {
      await beat(Date.now() + skew * minute);
      await lookEvery(14, 1);
    }
  });

  it('is not told because nobody looked, or because our own clock jumped', async () => {
    await lookEvery(60, 1);
    await lookEvery(-120, 1);
    await lookEvery(60, 1);
  });

  it('begins anew for a fresh watcher', async () => {
    await lookEvery(5, 2);
    vi.setSystemTime(Date.now() + 60 * minute);
    expect((await nextActivity(null)).records.silent).toBe(false);
  });

  it('is not told of a job that has ended, or of an attempt without one', async () => {
    await writeFile(join(folder, 'exit.json'), exited);
    since = (await look(since)).fingerprint;
    await lookEvery(6, 4);
    await rm(join(folder, 'exit.json'));
    await rm(join(folder, 'claim'), { recursive: true });
    since = 'nothing';
    await lookEvery(6, 4);
  });
});
