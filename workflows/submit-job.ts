import { CancellationScope, isCancellation } from '@temporalio/workflow';

import type { SubmissionOutcome } from '../domain/job.ts';
import { attempts, records, submission } from './activities.ts';
import { failWith, isUnanswered } from './failures.ts';
import type { JobWorkflowInput } from './job.ts';

/**
 * Creates the job, once. The platform has no idempotency key and no list, so an answer that was lost is *unknown* and
 * is never sent again: the job itself settles it, by the claim that it takes on the shared disk. When no claim appears
 * until the deadline, the claim is taken away, so that a job that still comes late leaves at once.
 *
 * Returns the platform's job id.
 */
export async function submitJob(
  input: JobWorkflowInput,
  tellUnknown: (detail: string) => Promise<void>,
): Promise<string> {
  const outcome = await create(input);
  if (outcome.status === 'created') return outcome.jobId;
  await tellUnknown(`${outcome.reason}; waiting for the job's own claim on the shared disk`);
  const claimed = await awaitClaim(input);
  if (claimed !== null) return claimed;
  const { claimedBy } = await attempts.revokeAttempt(keyOf(input));
  if (claimedBy !== null) return claimedBy;
  throw failWith(
    'SubmissionUnknown',
    `seed ${input.seed}: it is not known whether the platform created the job (${outcome.reason}), and no job claimed the ` +
      `attempt within ${input.unknownDeadlineMinutes} minutes. The claim was taken back: a job that comes late will leave at ` +
      'once without training. Start the experiment again to submit a new attempt.',
  );
}

async function create(input: JobWorkflowInput): Promise<SubmissionOutcome> {
  const { experimentId, attempt, seed, job, command } = input;
  try {
    // A stop that comes meanwhile must not cut the answer off: it holds the id of the job to stop.
    return await CancellationScope.nonCancellable(() =>
      submission.createJob.executeWithOptions({ summary: `attempt ${attempt}, seed ${seed}` }, [
        { experimentId, attempt, seed, job, command },
      ]),
    );
  } catch (error) {
    if (isUnanswered(error))
      return { status: 'unknown', reason: 'the worker died while it was sending the request' };
    throw error;
  }
}

async function awaitClaim(input: JobWorkflowInput): Promise<string | null> {
  try {
    return await CancellationScope.withTimeout(`${input.unknownDeadlineMinutes} minutes`, async () => {
      let since: string | null = null;
      for (;;) {
        const seen = await records.awaitRecordsChange.executeWithOptions({ summary: 'waiting for a claim' }, [
          { ...keyOf(input), since, pollSeconds: input.pollSeconds },
        ]);
        if (seen.records.claim !== null) return seen.records.claim.jobId;
        since = seen.fingerprint;
      }
    });
  } catch (error) {
    // Both the deadline and somebody's stop end the scope; only the deadline leaves this workflow itself uncancelled.
    if (isCancellation(error) && !CancellationScope.current().consideredCancelled) return null;
    throw error;
  }
}

function keyOf({ experimentId, attempt, seed }: JobWorkflowInput) {
  return { experimentId, attempt, seed };
}
