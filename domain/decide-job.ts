import type { JobObservation, JobOutcome, JobRecords } from './job.ts';

export type JobDecision =
  | { readonly status: 'wait'; readonly phase: 'queued' | 'training'; readonly sentence: string }
  | { readonly status: 'ended'; readonly outcome: JobOutcome; readonly sentence: string };

/**
 * Joins the two witnesses of a job. Precedence:
 * 1. the job's own exit record: what the process itself saw happen cannot be outvoted;
 * 2. a terminal answer of the API;
 * 3. otherwise the job is believed to go on: not being able to ask is never an end.
 */
export function decideJob(observation: JobObservation | null, records: JobRecords | null): JobDecision {
  const exit = records?.exit ?? null;
  if (exit !== null) {
    if (exit.code === 0) return ended('succeeded', 'the job wrote that it ended with code 0');
    if (observation?.state === 'stopped' || observation?.state === 'stopping') {
      return ended('stopped', `the platform stopped the job; it ended with code ${exit.code}`);
    }
    return ended('failed', exit.reason ?? `the job wrote that it ended with code ${exit.code}`);
  }
  switch (observation?.state) {
    case 'stopped':
      return ended('stopped', 'the platform says that the job was stopped');
    case 'queue-out':
      return ended('queue-out', 'the platform took the job out of its queue');
    case 'failed':
      return ended(
        'failed',
        `the platform says failed${reasonOf(observation)}, and the job left no exit record`,
      );
    case 'succeeded':
      // Success needs a witness on the disk: SUCCEEDED with nothing run has been seen on the platform.
      return records?.claim === null
        ? ended(
            'failed',
            'the platform says succeeded, but the job never claimed its attempt: nothing was run',
          )
        : ended('succeeded', 'the platform says succeeded; the exit record has not reached the disk');
    case 'running':
    case 'stopping':
      return wait('training', `the platform says ${observation.rawStatus}`);
    case 'pending':
    case 'queued':
      return records?.claim
        ? wait('training', 'the job claimed its attempt, the platform does not show it yet')
        : wait('queued', `the platform says ${observation.rawStatus}${reasonOf(observation)}`);
    case 'unknown':
      return wait(
        records?.claim ? 'training' : 'queued',
        `the platform says ${observation.rawStatus}, a status not known here`,
      );
    case undefined:
      return wait(records?.claim ? 'training' : 'queued', 'the platform has not been reached yet');
  }
}

function reasonOf(observation: JobObservation): string {
  return observation.reason === '' ? '' : ` (${observation.reason})`;
}

function ended(outcome: JobOutcome, sentence: string): JobDecision {
  return { status: 'ended', outcome, sentence };
}

function wait(phase: 'queued' | 'training', sentence: string): JobDecision {
  return { status: 'wait', phase, sentence };
}
