import { setTimeout as sleep } from 'node:timers/promises';

import { cancellationSignal, heartbeat } from '@temporalio/activity';

import type { FailureType } from '../../domain/failure.ts';
import type { PlatformSight } from '../../domain/orphan.ts';
import { Failure } from '../../infra/failure.ts';
import type { QizhiClient } from '../../infra/qizhi/client.ts';

const triesWhenBusy = 3;
/** A gateway in trouble and a database that lags have both been seen to say that a job does not exist. */
const looksUntilGone = 3;
const longestPauseMs = 30_000;

/** About this one job; whatever else keeps the platform from answering would keep it from answering about the next, too. */
const aboutTheJob: ReadonlySet<FailureType> = new Set<FailureType>(['QizhiForbidden', 'QizhiInvalid']);

/** One after the other with a pause between. Once the platform cannot be asked, the rest is not asked at all. */
export async function observeJobs(
  qizhi: Pick<QizhiClient, 'getJob'>,
  jobIds: readonly string[],
  pauseMs: number,
): Promise<readonly PlatformSight[]> {
  const sights: PlatformSight[] = [];
  let trouble: string | null = null;
  for (const [index, jobId] of jobIds.entries()) {
    if (trouble !== null) {
      sights.push({ status: 'unasked', why: trouble });
      continue;
    }
    if (index > 0) await sleep(pauseMs, undefined, { signal: cancellationSignal() });
    heartbeat({ jobId });
    try {
      sights.push(await observeJob(qizhi, jobId, pauseMs));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const why = `${error.type}: ${error.message}`;
      sights.push({ status: 'unasked', why });
      if (!aboutTheJob.has(error.type)) trouble = why;
    }
  }
  return sights;
}

async function observeJob(
  qizhi: Pick<QizhiClient, 'getJob'>,
  jobId: string,
  pauseMs: number,
): Promise<PlatformSight> {
  const turns = { missing: 0, busy: 0 };
  for (;;) {
    try {
      const { state, rawStatus, reserving } = await qizhi.getJob(jobId);
      return { status: 'seen', state, rawStatus, reserving };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.type === 'JobNotFound') turns.missing += 1;
      else if (error.type === 'QizhiRateLimited') turns.busy += 1;
      else throw error;
      if (turns.missing >= looksUntilGone) return { status: 'gone' };
      if (turns.busy >= triesWhenBusy) throw error;
      const waitMs = error.type === 'JobNotFound' ? pauseMs : (error.retryAfterMs ?? 1000 * 2 ** turns.busy);
      await sleep(Math.min(waitMs, longestPauseMs), undefined, { signal: cancellationSignal() });
    }
  }
}
