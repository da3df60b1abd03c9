import { condition, isCancellation, log, sleep } from '@temporalio/workflow';

import { decideJob, type JobDecision } from '../domain/decide-job.ts';
import type { JobObservation, JobRecords } from '../domain/job.ts';
import type { JobKey } from '../activities/attempts/interface.ts';
import { platform, records as recordsActivities } from './activities.ts';
import { namedFailure } from './failures.ts';
import { beside } from './scopes.ts';

/** What the two witnesses said last. */
export interface Witnesses {
  observation: JobObservation | null;
  records: JobRecords | null;
  /** Why the platform can no longer be asked, null while it can. */
  apiTrouble: string | null;
}

export interface WatchInput {
  readonly key: JobKey;
  readonly jobId: string;
  readonly pollSeconds: number;
  readonly onChange: (decision: JobDecision, witnesses: Witnesses) => void;
}

export interface EndedJob {
  readonly decision: JobDecision & { readonly status: 'ended' };
  readonly witnesses: Witnesses;
}

/** How long the disk may lag behind the platform: the exit record is looked for this often before doing without. */
const exitRecordLooks = 6;
const exitRecordPause = '10 seconds';

/**
 * Waits until the job has ended, by both witnesses side by side: the platform's API and the job's own records on the
 * shared disk. One that cannot be reached is never an end; the other goes on.
 */
export async function watchJob(input: WatchInput): Promise<EndedJob> {
  const witnesses: Witnesses = { observation: null, records: null, apiTrouble: null };
  let ended = false;
  const noteChange = (): void => {
    const decision = decideJob(witnesses.observation, witnesses.records);
    input.onChange(decision, witnesses);
    ended ||= decision.status === 'ended';
  };
  await beside(
    () =>
      Promise.all([
        followPlatform(input, witnesses, noteChange),
        followRecords(input, witnesses, noteChange),
      ]),
    () => condition(() => ended),
  );
  return judge(input, witnesses);
}

async function followPlatform(
  input: WatchInput,
  witnesses: Witnesses,
  noteChange: () => void,
): Promise<void> {
  let since: string | null = null;
  try {
    for (;;) {
      const seen = await platform.awaitJobChange.executeWithOptions(
        { summary: `${input.jobId} on the platform` },
        [{ jobId: input.jobId, since, pollSeconds: input.pollSeconds }],
      );
      since = seen.fingerprint;
      witnesses.observation = seen.observation;
      noteChange();
    }
  } catch (error) {
    if (isCancellation(error)) throw error;
    // The job itself is still the better witness: it goes on being watched on the disk.
    const { type, message } = namedFailure(error);
    witnesses.apiTrouble = `${type}: ${message}`;
    log.warn('the platform can no longer be asked about the job', { jobId: input.jobId, type });
    noteChange();
  }
}

async function followRecords(input: WatchInput, witnesses: Witnesses, noteChange: () => void): Promise<void> {
  let since: string | null = null;
  for (;;) {
    const seen = await recordsActivities.awaitRecordsChange.executeWithOptions(
      { summary: `records of ${input.jobId} on the shared disk` },
      [{ ...input.key, since, pollSeconds: input.pollSeconds }],
    );
    since = seen.fingerprint;
    witnesses.records = seen.records;
    noteChange();
  }
}

/** The last word, after the disk had time to show an exit record that the platform was faster than. */
async function judge(input: WatchInput, witnesses: Witnesses): Promise<EndedJob> {
  for (let look = 0; look < exitRecordLooks && (witnesses.records?.exit ?? null) === null; look += 1) {
    if (look > 0) await sleep(exitRecordPause);
    const seen = await recordsActivities.awaitRecordsChange.executeWithOptions(
      { summary: 'looking for the exit record' },
      [{ ...input.key, since: null, pollSeconds: input.pollSeconds }],
    );
    witnesses.records = seen.records;
    // A job that never started leaves no exit record, however long one waits.
    if (seen.records.claim === null && witnesses.observation?.state !== 'succeeded') break;
  }
  const decision = decideJob(witnesses.observation, witnesses.records);
  if (decision.status !== 'ended') {
    // Cannot be: the witnesses only gain knowledge. Saying so beats looping for ever if it ever is.
    return { decision: { status: 'ended', outcome: 'failed', sentence: decision.sentence }, witnesses };
  }
  return { decision, witnesses };
}
