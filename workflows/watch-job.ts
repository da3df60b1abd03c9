import { condition, isCancellation, log } from '@temporalio/workflow';

import { decideJob, type JobDecision, type JobLimits } from '../domain/decide-job.ts';
import type { JobExit, JobObservation, JobRecords } from '../domain/job.ts';
import type { JobKey } from '../activities/attempts/interface.ts';
import { platform, records as recordsActivities } from './activities.ts';
import { namedFailure, tried } from './failures.ts';
import { nothingRecorded } from './job-key.ts';
import { beside, within } from './scopes.ts';

/** What the two witnesses said last. */
export interface Witnesses {
  /** The job that is watched: another one than was created when that one holds the claim. */
  jobId: string;
  observation: JobObservation | null;
  records: JobRecords;
  /** How earlier rounds ended, which the platform took off its nodes and started again under the same id. */
  earlierExits: readonly JobExit[];
  /** Why the platform can no longer be asked, null while it can. */
  apiTrouble: string | null;
}

export interface WatchInput {
  readonly key: JobKey;
  readonly jobId: string;
  readonly pollSeconds: number;
  readonly limits: JobLimits;
  readonly onChange: (decision: JobDecision, witnesses: Witnesses) => void;
}

export interface EndedJob {
  readonly decision: JobDecision & { readonly status: 'ended' };
  readonly witnesses: Witnesses;
}

const emptyRecords: JobRecords = {
  claim: null,
  heartbeatAt: null,
  silent: false,
  exit: null,
  duplicates: [],
  logTail: '',
};

/** How long the disk may lag behind the platform: the exit record is waited for this long before doing without. */
const exitRecordPatience = '1 minute';
const exitRecordPollSeconds = 5;
/** Whoever waits for the end of a job is not kept waiting by a platform that cannot be asked. */
const lastAnswerPatience = '2 minutes';

/**
 * Waits until the job has ended, by both witnesses side by side: the platform's API and the job's own records on the
 * shared disk. One that cannot be reached is never an end; the other goes on.
 */
export async function watchJob(input: WatchInput): Promise<EndedJob> {
  const witnesses: Witnesses = {
    jobId: input.jobId,
    observation: null,
    records: emptyRecords,
    earlierExits: [],
    apiTrouble: null,
  };
  for (;;) {
    await untilEnded(input, witnesses);
    const decision = await judge(input, witnesses);
    // The disk may know better than it did a moment ago: then the job is watched on.
    if (decision.status === 'ended') return { decision, witnesses };
  }
}

async function untilEnded(input: WatchInput, witnesses: Witnesses): Promise<void> {
  let ended = false;
  const noteChange = (): void => {
    const decision = decideJob(witnesses.observation, witnesses.records, input.limits);
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
}

async function followPlatform(
  input: WatchInput,
  witnesses: Witnesses,
  noteChange: () => void,
): Promise<void> {
  let since: string | null = null;
  try {
    for (;;) {
      const { jobId } = witnesses;
      const seen = await platform.awaitJobChange.executeWithOptions({ summary: `${jobId} on the platform` }, [
        { jobId, since, pollSeconds: input.pollSeconds },
      ]);
      since = jobId === witnesses.jobId ? seen.fingerprint : null;
      if (since === null) continue;
      witnesses.observation = seen.observation;
      noteChange();
    }
  } catch (error) {
    if (isCancellation(error)) throw error;
    // The job itself is still the better witness: it goes on being watched on the disk.
    const { type, message } = namedFailure(error);
    witnesses.apiTrouble = `${type}: ${message}`;
    log.warn('the platform can no longer be asked about the job', { jobId: witnesses.jobId, type });
    noteChange();
  }
}

async function followRecords(input: WatchInput, witnesses: Witnesses, noteChange: () => void): Promise<void> {
  let since: string = nothingRecorded;
  for (;;) {
    const seen = await recordsActivities.awaitRecordsChange.executeWithOptions(
      { summary: `records of ${witnesses.jobId} on the shared disk` },
      [{ ...input.key, since, pollSeconds: input.pollSeconds }],
    );
    since = seen.fingerprint;
    takeIn(witnesses, seen.records);
    noteChange();
  }
}

/** Whoever holds the claim is the job of this attempt, whichever id the platform told. */
function takeIn(witnesses: Witnesses, records: JobRecords): void {
  const before = witnesses.records.exit;
  if (before !== null && before.startedAt !== records.exit?.startedAt) {
    witnesses.earlierExits = [...witnesses.earlierExits, before];
  }
  witnesses.records = records;
  const { claim, duplicates } = records;
  const turnedAway = duplicates.some(({ jobId }) => jobId === witnesses.jobId);
  if (claim === null || claim.jobId === witnesses.jobId || !turnedAway) return;
  log.warn('another job holds the claim of the attempt', { created: witnesses.jobId, claimed: claim.jobId });
  witnesses.jobId = claim.jobId;
  witnesses.observation = null;
}

/** The last word, after the disk had time to show an exit record that the platform was faster than. */
async function judge(input: WatchInput, witnesses: Witnesses): Promise<JobDecision> {
  const { exit } = witnesses.records;
  if (exit === null || mayHaveGoneOn(exit, input.limits)) {
    const since = await lookAtRecords(input, witnesses, null);
    // A job that never started leaves no exit record, however long one waits.
    const mayCome = witnesses.records.claim !== null || witnesses.observation?.state === 'succeeded';
    if (mayCome) await within(exitRecordPatience, () => untilExit(input, witnesses, since));
  } else if (hoursAreOpen(witnesses)) {
    await askOnceMore(input, witnesses);
  }
  return decideJob(witnesses.observation, witnesses.records, input.limits);
}

/** Whether the platform may have started the job again since, whose end the disk was not yet seen to show. */
function mayHaveGoneOn({ code, signal }: JobExit, { mayRestart }: JobLimits): boolean {
  return signal === 'TERM' || (code !== 0 && mayRestart);
}

/** A job of one round has counted its hours itself; of earlier rounds that were killed it knows nothing. */
function hoursAreOpen({ observation, earlierExits }: Witnesses): boolean {
  return observation === null || observation.round > 1 || earlierExits.length > 0;
}

/** The platform's last answer may be as old as the last change, and a job's hours are counted by it. */
async function askOnceMore(input: WatchInput, witnesses: Witnesses): Promise<void> {
  const { jobId } = witnesses;
  await tried('a last question about the hours of the job', async () => {
    const seen = await platform.awaitJobChange.executeWithOptions(
      { summary: `${jobId}: its hours in the end`, scheduleToCloseTimeout: lastAnswerPatience },
      [{ jobId, since: null, pollSeconds: input.pollSeconds }],
    );
    // One that it does not know any more has no hours; those that it told before stand.
    if (seen.observation.state !== 'gone') witnesses.observation = seen.observation;
  });
}

async function untilExit(input: WatchInput, witnesses: Witnesses, since: string): Promise<void> {
  let last = since;
  while (witnesses.records.exit === null) last = await lookAtRecords(input, witnesses, last);
}

async function lookAtRecords(input: WatchInput, witnesses: Witnesses, since: string | null): Promise<string> {
  const seen = await recordsActivities.awaitRecordsChange.executeWithOptions(
    { summary: 'looking for the exit record' },
    [{ ...input.key, since, pollSeconds: Math.min(input.pollSeconds, exitRecordPollSeconds) }],
  );
  takeIn(witnesses, seen.records);
  return seen.fingerprint;
}
