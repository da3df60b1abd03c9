import { CancellationScope, condition, isCancellation, log, sleep } from '@temporalio/workflow';

import { jobName } from '../domain/ids.ts';
import type { ListedSubmission, SubmissionOutcome } from '../domain/job.ts';
import { attempts, platform, records, submission } from './activities.ts';
import type { JobSettled } from './contract.ts';
import { failWith, isFailure, isUnanswered, namedFailure } from './failures.ts';
import { keyOf, nothingRecorded } from './job-key.ts';
import type { JobWorkflowInput } from './job.ts';
import { first } from './scopes.ts';

/** How people are told, and how their answer comes back. */
export interface Submitter {
  /** Not created, and it is known why. */
  readonly tellWaiting: (detail: string) => Promise<void>;
  readonly tellUnknown: (detail: string, question: string | null) => Promise<void>;
  readonly answer: () => JobSettled | null;
}

/**
 * Creates the job, once. The platform has no idempotency key, so an answer that was lost is *unknown* and is never sent
 * again: the job itself settles it by the claim that it takes on the shared disk, the platform's list where there is
 * one, or, after the deadline, a person. A job of which it is settled that it does not exist can never train any more:
 * its claim is taken away first.
 *
 * Returns the platform's job id. Throws `SubmissionUnknown` when there is no job and never will be.
 */
export async function submitJob(input: JobWorkflowInput, submitter: Submitter): Promise<string> {
  const outcome = await createWhenReachable(input, submitter);
  if (outcome.status === 'created') return outcome.jobId;
  await submitter.tellUnknown(`${outcome.reason}; waiting for the job's own claim on the shared disk`, null);
  const settled = await settle(input, outcome.reason, submitter);
  if (settled.jobId !== null) return settled.jobId;
  const { claimedBy } = await attempts.revokeAttempt(keyOf(input));
  if (claimedBy !== null) return claimedBy;
  throw failWith(
    'SubmissionUnknown',
    `seed ${input.seed}: the answer to the submission was lost (${outcome.reason}), and ${settled.why}. The claim of the ` +
      'attempt was taken away: should a job of it come late, it leaves at once without training.',
  );
}

/** Only answers that prove that nothing was created lead to another request, after the platform can be asked again. */
async function createWhenReachable(
  input: JobWorkflowInput,
  submitter: Submitter,
): Promise<SubmissionOutcome> {
  for (;;) {
    try {
      return await create(input);
    } catch (error) {
      if (isUnanswered(error))
        return { status: 'unknown', reason: 'the worker died while it was sending the request' };
      if (!isFailure(error, 'QizhiUnavailable', 'QizhiRateLimited')) throw error;
      await submitter.tellWaiting(`nothing was created yet: ${namedFailure(error).message}`);
      await platform.awaitPlatform.executeWithOptions({ summary: 'until the platform can be asked' }, []);
    }
  }
}

/** A stop that comes meanwhile must not cut the answer off: it holds the id of the job to stop. */
async function create({
  experimentId,
  attempt,
  seed,
  job,
  command,
}: JobWorkflowInput): Promise<SubmissionOutcome> {
  return CancellationScope.nonCancellable(() =>
    submission.createJob.executeWithOptions({ summary: `attempt ${attempt}, seed ${seed}` }, [
      { experimentId, attempt, seed, job, command },
    ]),
  );
}

/** `jobId: null` when there is no such job, with `why` it is known. */
interface Settled {
  readonly jobId: string | null;
  readonly why: string;
}

async function settle(input: JobWorkflowInput, reason: string, submitter: Submitter): Promise<Settled> {
  return first<Settled>([
    () => claimed(input),
    () => listed(input),
    () => deadlinePassed(input, reason, submitter),
  ]);
}

async function claimed(input: JobWorkflowInput): Promise<Settled> {
  let since: string = nothingRecorded;
  for (;;) {
    const seen = await records.awaitRecordsChange.executeWithOptions({ summary: 'waiting for a claim' }, [
      { ...keyOf(input), since, pollSeconds: input.pollSeconds },
    ]);
    if (seen.records.claim !== null)
      return { jobId: seen.records.claim.jobId, why: 'it claimed its attempt' };
    since = seen.fingerprint;
  }
}

/** Resolves only when the list shows the job: that it does not show it yet proves nothing. */
async function listed(input: JobWorkflowInput): Promise<Settled> {
  const seen = await look(input, input.pollSeconds);
  if (seen.status === 'found') return { jobId: seen.jobId, why: "the platform's list shows it" };
  return new Promise(() => undefined);
}

/** A list that cannot be asked is like none: the other ways remain. */
async function look(input: JobWorkflowInput, pollSeconds: number | null): Promise<ListedSubmission> {
  const { experimentId, attempt, seed, job } = input;
  try {
    return await platform.findSubmittedJob.executeWithOptions(
      {
        summary: "looks for it in the platform's list",
        ...(pollSeconds === null && { scheduleToCloseTimeout: '10 minutes' }),
      },
      [{ experimentId, attempt, seed, workspaceId: job.workspace_id, pollSeconds }],
    );
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('the list of the platform cannot be asked', { ...namedFailure(error) });
    return { status: 'no-list' };
  }
}

/** After the deadline the list decides, if there is one; else a person is asked, for as long as it takes. */
async function deadlinePassed(
  input: JobWorkflowInput,
  reason: string,
  submitter: Submitter,
): Promise<Settled> {
  const minutes = input.unknownDeadlineMinutes;
  await sleep(`${minutes} minutes`, { summary: 'deadline of an unknown submission' });
  const seen = await look(input, null);
  if (seen.status === 'found') return { jobId: seen.jobId, why: "the platform's list shows it" };
  if (seen.status === 'absent') {
    return { jobId: null, why: `the platform's list does not show it ${minutes} minutes later` };
  }
  const name = jobName(input.experimentId, input.attempt, input.seed);
  await submitter.tellUnknown(
    `${reason}; no job claimed the attempt within ${minutes} minutes`,
    `Does the platform's console show a job named ${name}? Answer with its id, or that there is none.`,
  );
  await condition(() => submitter.answer() !== null);
  const answer = submitter.answer();
  const by = answer?.by ?? 'somebody';
  return { jobId: answer?.jobId ?? null, why: `${by} says that the platform has no such job` };
}
