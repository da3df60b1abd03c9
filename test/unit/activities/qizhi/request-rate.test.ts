import PQueue from 'p-queue';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { createQizhiActivities } from '../../../../activities/qizhi/create-qizhi-activities.ts';
import { createConversation } from '../../../../infra/qizhi/conversation.ts';
import { asBearer } from '../../../../infra/qizhi/credentials.ts';
import { readV2Envelope } from '../../../../infra/qizhi/envelopes.ts';
import { createLimitRate } from '../../../../infra/qizhi/limit-rate.ts';
import { createLogIn } from '../../../../infra/qizhi/log-in.ts';
import { NoAnswerError, type Post, type RawAnswer } from '../../../../infra/qizhi/transport.ts';
import { createV2Client, v2Paths } from '../../../../infra/qizhi/v2-client.ts';
import { mostWithin } from '../../../support/most-within.ts';
import { openWatch } from '../../../support/watch-job.ts';

const minute = 60_000;
const hour = 60 * minute;
const requestsPerSecond = 2;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A platform that answers after 80 ms; `behave` may answer in its place. Writes down when each request was sent. */
function platform(behave: (action: string, body: { job_id?: string }) => RawAnswer | undefined) {
  const sent: { readonly at: number; readonly action: string }[] = [];
  const limitRate = createLimitRate(requestsPerSecond);
  const post: Post = async ({ action, body }) =>
    limitRate(async () => {
      sent.push({ at: Date.now(), action });
      await new Promise((resolve) => {
        setTimeout(resolve, 80);
      });
      const special = behave(action, body as { job_id?: string });
      if (special !== undefined) return special;
      if (action === 'login')
        return answer({ code: 0, data: { access_token: `t${Date.now()}`, expires_in: 604_800 } });
      if (action === 'events')
        return result({ events: [{ reason: 'FailedScheduling', last_timestamp: '1' }] });
      return result({ job_id: (body as { job_id: string }).job_id, status: 'job_queuing' });
    });
  const client = createV2Client(
    createConversation(post, {
      paths: v2Paths,
      readEnvelope: readV2Envelope,
      credentials: createLogIn(post, { username: 'ann', password: 'canary' }),
      present: asBearer,
      headers: {},
    }),
  );
  return { sent, activities: createQizhiActivities({ qizhi: client, requestsPerSecond }) };
}

function answer(body: object, changes: Partial<RawAnswer> = {}): RawAnswer {
  return { status: 200, body: JSON.stringify(body), retryAfterMs: undefined, ...changes };
}

function result(data: object): RawAnswer {
  return answer({ ResponseMetadata: {}, Result: data });
}

/** Watches this many jobs from now on, three looks at a time, as one worker does; until the clock is left alone. */
function watchAll({ activities }: ReturnType<typeof platform>, jobs: number): void {
  const worker = new PQueue({ concurrency: 3 });
  for (let number = 0; number < jobs; number += 1) {
    const next = (since: string | null, watch = openWatch(activities)): void => {
      void worker.add(async () => {
        const look = await watch.look({ jobId: `job-${number}`, since, pollSeconds: 30 });
        if ('seen' in look) return next(look.seen.fingerprint);
        setTimeout(() => next(since, watch), look.failure.nextRetryDelay);
      });
    };
    next(null);
  }
}

it('asks for 200 waiting jobs less than once a second, and never three times within one', async () => {
  const world = platform(() => undefined);
  const start = Date.now();
  watchAll(world, 200);
  await vi.advanceTimersByTimeAsync(6 * hour);
  const perSecond = (world.sent.length / (Date.now() - start)) * 1000;
  const most = mostWithin(
    world.sent.map(({ at }) => at),
    1000,
  );
  expect(perSecond).toBeLessThan(1);
  expect(perSecond).toBeGreaterThan(0.3);
  expect(most).toBeLessThanOrEqual(2);
  const asked = world.sent.filter(({ action }) => action === 'detail').length;
  const events = world.sent.filter(({ action }) => action === 'events').length;
  expect(events).toBeGreaterThan(0);
  expect(events).toBeLessThan(asked / 2);
}, 60_000);

it('keeps to it through changes, refusals, ended tokens and outages', async () => {
  const start = Date.now();
  const world = platform((action, { job_id: id }) => {
    const since = Date.now() - start;
    if (since > 30 * minute && since < 60 * minute) throw new NoAnswerError('away', false, undefined);
    if (since > 60 * minute && since < 61 * minute) return answer({}, { status: 429, retryAfterMs: 20_000 });
    if (since > 90 * minute && since < 91 * minute && action === 'detail') return answer({}, { status: 401 });
    if (action !== 'detail' || since < 120 * minute) return undefined;
    // All of them change at once, a few times.
    return result({
      job_id: id,
      status: 'job_running',
      current_running_round: Math.floor(since / (20 * minute)),
    });
  });
  watchAll(world, 200);
  await vi.advanceTimersByTimeAsync(3 * hour);
  const moments = world.sent.map(({ at }) => at);
  expect(mostWithin(moments, 1000)).toBeLessThanOrEqual(2);
  expect((moments.length / (Date.now() - start)) * 1000).toBeLessThan(1);
  expect(world.sent.filter(({ action }) => action === 'login').length).toBeLessThan(20);
}, 60_000);
