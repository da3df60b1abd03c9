import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { cancellationSignal, heartbeat } from '@temporalio/activity';

import { jobName } from '../../domain/ids.ts';
import type { JobObservation, SubmissionOutcome } from '../../domain/job.ts';
import { Failure } from '../../infra/failure.ts';
import type { QizhiClient } from '../../infra/qizhi/client.ts';
import { jobBody, type CreateJobBody } from '../../infra/qizhi/job-body.ts';
import { isReleased } from '../../infra/qizhi/job-status.ts';
import { guardActivities } from '../boundary.ts';
import type { QizhiActivities } from './interface.ts';

export interface QizhiActivitiesDependencies {
  readonly qizhi: QizhiClient;
  /** How long a submission that was provably not taken is offered again, ms. */
  readonly createPatienceMs?: number;
}

const stopPollMs = 2000;
const shortestWaitMs = 500;
const longestBeatMs = 5000;
/** The workflow runs this activity once and ends it after two minutes. */
const defaultPatienceMs = 75_000;

/** The activities of the queue `qizhi`. */
export function createQizhiActivities({
  qizhi,
  createPatienceMs = defaultPatienceMs,
}: QizhiActivitiesDependencies): QizhiActivities {
  return guardActivities<QizhiActivities>({
    createJob: ({ experimentId, attempt, seed, job, command }) =>
      createPatiently(qizhi, jobBody(job, jobName(experimentId, attempt, seed), command), createPatienceMs),

    async awaitJobChange({ jobId, since, pollSeconds }) {
      const observation = await qizhi.getJob(jobId);
      const fingerprint = fingerprintOf(observation);
      if (fingerprint === since) {
        throw unchanged(jobId, observation, withJitter(pollSeconds * 1000));
      }
      return { observation, fingerprint };
    },

    async stopJob({ jobId }) {
      const before = await qizhi.getJob(jobId);
      if (isReleased(before.rawStatus)) return before;
      if (before.state !== 'stopping') await qizhi.stopJob(jobId);
      const after = await qizhi.getJob(jobId);
      if (!isReleased(after.rawStatus)) throw unchanged(jobId, after, stopPollMs);
      return after;
    },
  });
}

/**
 * Nobody repeats this activity, since a worker that dies in it leaves an unknown outcome. So it offers the job again by
 * itself, but only after answers that prove that nothing was created: the client throws a retryable failure for no other.
 */
async function createPatiently(
  qizhi: QizhiClient,
  body: CreateJobBody,
  patienceMs: number,
): Promise<SubmissionOutcome> {
  const deadline = Date.now() + patienceMs;
  for (let turn = 0; ; turn += 1) {
    try {
      heartbeat({ turn });
      return await qizhi.createJob(body);
    } catch (error) {
      if (!(error instanceof Failure) || !offeredAgain.has(error.type)) throw error;
      const waitMs = withJitter(Math.max(shortestWaitMs, error.retryAfterMs ?? 1000 * 2 ** turn));
      if (Date.now() + waitMs > deadline) throw error;
      await sleepBeating(waitMs);
    }
  }
}

const offeredAgain = new Set<Failure['type']>(['QizhiRateLimited', 'QizhiUnavailable']);

async function sleepBeating(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= longestBeatMs) {
    await sleep(Math.min(left, longestBeatMs), undefined, { signal: cancellationSignal() });
    heartbeat();
  }
}

/** Running time and the moment of asking change all the time and mean nothing new. */
function fingerprintOf({ rawStatus, reason, round }: JobObservation): string {
  return createHash('sha256')
    .update(JSON.stringify([rawStatus, reason, round]))
    .digest('hex')
    .slice(0, 16);
}

function unchanged(jobId: string, { rawStatus }: JobObservation, retryAfterMs: number): Failure {
  return new Failure('JobUnchanged', `${jobId} is still ${rawStatus}`, { retryAfterMs });
}

/** Plus or minus a tenth, so that many experiments do not ask in step. */
function withJitter(ms: number): number {
  return Math.round(ms * (0.9 + Math.random() * 0.2));
}
