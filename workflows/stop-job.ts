import { log } from '@temporalio/workflow';

import { isPlatformJobId } from '../domain/ids.ts';
import type { JobObservation } from '../domain/job.ts';
import { attempts, platform, records } from './activities.ts';
import { namedFailure, tried } from './failures.ts';
import { msPerHour } from './job-bill.ts';
import { keyOf } from './job-key.ts';
import type { JobWorkflowInput } from './job.ts';
import { within } from './scopes.ts';

export interface StoppedJob {
  readonly jobId: string;
  readonly gpuHours: number;
  /** Who said that it has stopped. */
  readonly sentence: string;
}

/** The platform alone is believed only after this time, in which the job's own record may still come. */
const secondWitness = '2 minutes';
/** After this long without the platform the job is also asked by the shared disk. */
const platformPatience = '10 minutes';
const pollSeconds = 5;

/**
 * Ends a job that nobody waits for any more. `jobId` null: its submission is not settled, so its claim is taken away,
 * and a job that was faster is stopped. Returns null when there is no job and never will be.
 *
 * *Stopped* is said when both witnesses say so, or the platform alone for two minutes.
 */
export async function stopJob(input: JobWorkflowInput, jobId: string | null): Promise<StoppedJob | null> {
  const key = keyOf(input);
  const id = jobId ?? (await attempts.revokeAttempt(key)).claimedBy;
  if (id === null) return null;
  const summary = `stopping ${id}`;
  const byPlatform = (): Promise<JobObservation> =>
    platform.stopJob.executeWithOptions({ summary }, [{ jobId: id }]);
  // A job that could not tell its own id from its host name can be reached by the shared disk alone.
  const known = isPlatformJobId(id);
  let seen = known ? ((await within(platformPatience, () => quietly(byPlatform))) ?? null) : null;
  if (seen === null || seen.state === 'gone') {
    await tried('asking the job by the shared disk to stop', () => attempts.requestStop(key));
    if (known) seen ??= await byPlatform();
  }
  const ended = await within(secondWitness, () => untilRecorded(key));
  const who =
    ended === undefined
      ? 'the platform says so, the job itself left no record'
      : 'both the platform and the job say so';
  return {
    jobId: id,
    gpuHours: seen === null ? 0 : (seen.runningMs * seen.gpuCount) / msPerHour,
    sentence: `stopped because nobody waits for it any more: ${who}`,
  };
}

/** Null instead of a failure: there is a second way to stop the job. */
async function quietly(act: () => Promise<JobObservation>): Promise<JobObservation | null> {
  try {
    return await act();
  } catch (error) {
    log.warn('the platform does not stop the job', { ...namedFailure(error) });
    return null;
  }
}

/** Until the job wrote how it ended; a job that never claimed its attempt writes nothing. */
async function untilRecorded(key: { experimentId: string; attempt: number; seed: number }): Promise<true> {
  let since: string | null = null;
  for (;;) {
    const seen = await records.awaitRecordsChange.executeWithOptions(
      { summary: 'looking for the exit record' },
      [{ ...key, since, pollSeconds }],
    );
    if (seen.records.exit !== null || seen.records.claim === null) return true;
    since = seen.fingerprint;
  }
}
