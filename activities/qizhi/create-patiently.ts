import { setTimeout as sleep } from 'node:timers/promises';

import { cancellationSignal, heartbeat } from '@temporalio/activity';

import type { SubmissionOutcome } from '../../domain/job.ts';
import { Failure } from '../../infra/failure.ts';
import type { QizhiClient } from '../../infra/qizhi/client.ts';
import type { CreateJobBody } from '../../infra/qizhi/job-body.ts';

const shortestWaitMs = 500;
const longestBeatMs = 5000;

/**
 * Nobody repeats the submission, since a worker that dies in it leaves an unknown outcome. So it is offered again here, but
 * only after answers that prove that nothing was created: the client throws a retryable failure for no other.
 */
export async function createPatiently(
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
      if (!(error instanceof Failure) || !error.retry) throw error;
      const waitMs = withJitter(Math.max(shortestWaitMs, error.retryAfterMs ?? 1000 * 2 ** turn));
      if (Date.now() + waitMs > deadline) throw error;
      await sleepBeating(waitMs);
    }
  }
}

async function sleepBeating(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= longestBeatMs) {
    await sleep(Math.min(left, longestBeatMs), undefined, { signal: cancellationSignal() });
    heartbeat();
  }
}

/** Plus up to a tenth, so that many submissions do not come back in step, and none too early. */
function withJitter(ms: number): number {
  return Math.round(ms * (1 + Math.random() * 0.1));
}
