import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createQizhiActivities } from '../../../../activities/qizhi/create-qizhi-activities.ts';
import type { AwaitJobInput } from '../../../../activities/qizhi/interface.ts';
import type { FailureType } from '../../../../domain/failure.ts';
import { Failure } from '../../../../infra/failure.ts';
import type { QizhiClient } from '../../../../infra/qizhi/client.ts';
import type { PlatformJob } from '../../../../infra/qizhi/job-detail.ts';
import type { Explanation } from '../../../../infra/qizhi/job-events.ts';
import { openWatch, type Unchanged } from '../../../support/watch-job.ts';

const hour = 3_600_000;
const jobId = 'job-1';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function answer<T>(value: T | Failure): Promise<T> {
  return value instanceof Failure ? Promise.reject(value) : Promise.resolve(value);
}

/** A platform with one job, of which a test says what it shows. */
function platform() {
  const shown: { job: PlatformJob | Failure; explanation: Explanation | null | Failure } = {
    job: jobShown({}),
    explanation: null,
  };
  const asked = { job: 0, events: 0, stop: 0 };
  const qizhi: QizhiClient = {
    createJob: () => Promise.resolve({ status: 'created', jobId }),
    findJob: () => Promise.resolve({ status: 'no-list' }),
    getJob: () => {
      asked.job += 1;
      return answer(shown.job);
    },
    explainJob: () => {
      asked.events += 1;
      return answer(shown.explanation);
    },
    stopJob: () => {
      asked.stop += 1;
      return Promise.resolve();
    },
  };
  return { shown, asked, activities: createQizhiActivities({ qizhi, requestsPerSecond: 1000 }) };
}

function jobShown(changes: Partial<PlatformJob>): PlatformJob {
  return {
    jobId,
    state: 'queued',
    rawStatus: 'job_queuing',
    reason: '',
    runningMs: 0,
    gpuCount: 8,
    round: 1,
    reserving: false,
    evicted: false,
    queuedMs: 0,
    observedAt: Date.now(),
    leftMs: null,
    ...changes,
  };
}

function input(since: string | null): AwaitJobInput {
  return { jobId, since, pollSeconds: 30 };
}

type Watch = ReturnType<typeof openWatch>;

async function seen(watch: Watch, since: string | null = null) {
  const look = await watch.look(input(since));
  if ('failure' in look) throw look.failure as unknown as Error;
  return look.seen;
}

async function failed(watch: Watch, since: string | null = null): Promise<Unchanged> {
  const look = await watch.look(input(since));
  if ('seen' in look) throw new Error(`a change was seen: ${JSON.stringify(look.seen)}`);
  return look.failure;
}

describe('awaitJobChange', () => {
  it('takes times and words for nothing new, and tells the words to whoever looks', async () => {
    const { shown, activities } = platform();
    const watch = openWatch(activities);
    const { fingerprint } = await seen(watch);
    shown.job = jobShown({ reason: '0/680 nodes are available', runningMs: 5, gpuCount: 4 });
    expect(await failed(watch, fingerprint)).toMatchObject({
      type: 'JobUnchanged',
      category: 'BENIGN',
      nonRetryable: false,
      message: 'job-1 is still job_queuing (0/680 nodes are available)',
    });
  });

  it.each<[what: string, changes: Partial<PlatformJob>]>([
    ['status', { state: 'running', rawStatus: 'job_running' }],
    ['status that is not known', { state: 'unknown', rawStatus: 'job_thinking' }],
    ['round', { round: 2 }],
    ['reserving', { reserving: true }],
  ])('sees a change of %s', async (_what, changes) => {
    const { shown, activities } = platform();
    const watch = openWatch(activities);
    const { fingerprint } = await seen(watch);
    shown.job = jobShown(changes);
    expect((await seen(watch, fingerprint)).observation).toMatchObject(changes);
  });

  it('sees nothing new in the stages that a job goes through before it runs', async () => {
    const { shown, activities } = platform();
    const watch = openWatch(activities);
    const { fingerprint } = await seen(watch);
    shown.job = jobShown({ state: 'pending', rawStatus: 'job_pre_checking' });
    expect(await failed(watch, fingerprint)).toMatchObject({
      type: 'JobUnchanged',
      message: 'job-1 is still job_pre_checking',
    });
  });

  it('tells once that a queue stands still, and goes on counting', async () => {
    const { activities } = platform();
    const { fingerprint } = await seen(openWatch(activities));
    const long = openWatch(activities);
    vi.setSystemTime(Date.now() + 5.9 * hour);
    await failed(long, fingerprint);
    vi.setSystemTime(Date.now() + 0.2 * hour);
    const standing = await seen(long, fingerprint);
    expect(standing.observation.queuedMs).toBeGreaterThanOrEqual(6 * hour);
    const next = openWatch(activities);
    await failed(next, standing.fingerprint);
    vi.setSystemTime(Date.now() + 100 * hour);
    await failed(next, standing.fingerprint);
  });

  it('says that a queue no longer stands still when the job moves and queues again', async () => {
    const { shown, activities } = platform();
    const first = openWatch(activities, Date.now() - 7 * hour);
    const standing = await seen(first);
    shown.job = jobShown({ round: 2 });
    const moved = await seen(openWatch(activities), standing.fingerprint);
    expect(moved.observation).toMatchObject({ round: 2, queuedMs: 0 });
    await failed(openWatch(activities), moved.fingerprint);
  });

  it('believes that a job is gone only after five looks in a row', async () => {
    const { shown, activities } = platform();
    const { fingerprint } = await seen(openWatch(activities));
    const watch = openWatch(activities);
    const missing = new Failure('JobNotFound', 'no such job');
    shown.job = missing;
    for (let look = 0; look < 4; look += 1) await failed(watch, fingerprint);
    shown.job = jobShown({});
    await failed(watch, fingerprint);
    shown.job = missing;
    for (let look = 1; look <= 4; look += 1) {
      expect(await failed(watch, fingerprint)).toMatchObject({
        type: 'JobUnchanged',
        message: `no such job (look ${look} of 5)`,
      });
      if (look !== 2) continue;
      shown.job = new Failure('QizhiUnavailable', 'away');
      expect(await failed(watch, fingerprint)).toMatchObject({
        type: 'QizhiUnavailable',
        nonRetryable: false,
      });
      shown.job = missing;
    }
    const gone = await seen(watch, fingerprint);
    expect(gone.observation).toMatchObject({ jobId, state: 'gone', rawStatus: '', reason: 'no such job' });
    const after = openWatch(activities);
    for (let look = 0; look < 7; look += 1) await failed(after, gone.fingerprint);
    shown.job = jobShown({});
    expect((await seen(after, gone.fingerprint)).observation.state).toBe('queued');
  });

  it.each<FailureType>(['QizhiUnauthorized', 'QizhiForbidden'])(
    'waits for a person to mend the cause of %s',
    async (type) => {
      const { shown, activities } = platform();
      shown.job = new Failure(type, 'refused');
      expect(await failed(openWatch(activities))).toMatchObject({
        type,
        message: 'refused',
        nonRetryable: false,
        nextRetryDelay: 600_000,
      });
    },
  );

  it('comes back no sooner than the platform wants, and no sooner than it would otherwise', async () => {
    const { shown, activities } = platform();
    shown.job = new Failure('QizhiRateLimited', 'slow', { retryAfterMs: 90_000 });
    expect((await failed(openWatch(activities))).nextRetryDelay).toBe(90_000);
    shown.job = new Failure('QizhiRateLimited', 'slow', { retryAfterMs: 1000 });
    expect((await failed(openWatch(activities))).nextRetryDelay).toBe(30_000);
  });
});

describe('events', () => {
  it('are read of a long queue now and then, and their words are kept meanwhile', async () => {
    const { shown, asked, activities } = platform();
    shown.explanation = { reason: 'FailedScheduling: no GPU', evicted: true };
    const { fingerprint } = await seen(openWatch(activities));
    const watch = openWatch(activities);
    await failed(watch, fingerprint);
    expect(asked.events).toBe(0);
    for (let minute = 0; minute < 300; minute += 10) {
      vi.setSystemTime(Date.now() + 600_000);
      const { message } = await failed(watch, fingerprint);
      if (minute > 10) expect(message).toBe('job-1 is still job_queuing (FailedScheduling: no GPU)');
    }
    expect(asked.events).toBe(10);
    shown.explanation = new Failure('QizhiUnavailable', 'away');
    vi.setSystemTime(Date.now() + hour / 2);
    expect((await failed(watch, fingerprint)).message).toContain('FailedScheduling: no GPU');
  });

  it('tell of a bad end whether the platform took the job off its nodes', async () => {
    const { shown, activities } = platform();
    shown.job = jobShown({ state: 'failed', rawStatus: 'job_failed', reason: 'exit 143' });
    shown.explanation = { reason: 'Preempted: made room', evicted: true };
    const { observation, fingerprint } = await seen(openWatch(activities));
    expect(observation).toMatchObject({ evicted: true, reason: 'Preempted: made room' });
    await failed(openWatch(activities), fingerprint);
    shown.job = jobShown({ state: 'succeeded', rawStatus: 'job_succeeded' });
    expect((await seen(openWatch(activities))).observation.evicted).toBe(false);
  });

  it('that cannot be read do not hide an end for ever', async () => {
    const { shown, activities } = platform();
    shown.job = jobShown({ state: 'failed', rawStatus: 'job_failed', reason: 'exit 1' });
    shown.explanation = new Failure('QizhiUnavailable', 'away');
    const watch = openWatch(activities);
    for (let look = 0; look < 4; look += 1) {
      expect(await failed(watch)).toMatchObject({ type: 'QizhiUnavailable' });
    }
    expect((await seen(watch)).observation).toMatchObject({
      state: 'failed',
      evicted: false,
      reason: 'exit 1',
    });
  });
});
