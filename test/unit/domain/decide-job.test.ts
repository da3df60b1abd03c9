import { describe, expect, it } from 'vitest';

import { decideJob } from '../../../domain/decide-job.ts';
import type { JobObservation, JobRecords, JobState } from '../../../domain/job.ts';

function seen(state: JobState): JobObservation {
  const rest = { reason: 'because', runningMs: 0, gpuCount: 1, round: 0, observedAt: 0 };
  return { state, rawStatus: `job_${state}`, ...rest };
}

const claim = { jobId: 'job-1', host: 'job-1', at: 0 };

function wrote(part: Partial<JobRecords>): JobRecords {
  return { claim: null, heartbeatAt: null, exit: null, duplicates: [], logTail: '', ...part };
}

function exited(code: number, reason: string | null = null): JobRecords {
  return wrote({ claim, exit: { code, signal: null, startedAt: 0, endedAt: 1, reason } });
}

/** What the disk may say, in the order of the columns below. */
const disks = [null, wrote({}), wrote({ claim }), exited(0), exited(1)] as const;

const wait = { q: 'wait queued', t: 'wait training' };
const done = 'ended succeeded';
const bad = 'ended failed';
const stop = 'ended stopped';
const out = 'ended queue-out';

/** Every pair of witnesses: rows by what the platform says, columns by what the disk says. */
const table: readonly (readonly [JobState | null, readonly string[]])[] = [
  //                 unread  nothing  claim   exit 0 exit 1
  [null, [wait.q, wait.q, wait.t, done, bad]],
  ['pending', [wait.q, wait.q, wait.t, done, bad]],
  ['queued', [wait.q, wait.q, wait.t, done, bad]],
  ['running', [wait.t, wait.t, wait.t, done, bad]],
  ['stopping', [wait.t, wait.t, wait.t, done, stop]],
  // With the disk unread, nothing speaks against the platform's word.
  ['succeeded', [done, bad, done, done, bad]],
  ['failed', [bad, bad, bad, done, bad]],
  ['stopped', [stop, stop, stop, done, stop]],
  ['queue-out', [out, out, out, done, bad]],
  ['unknown', [wait.q, wait.q, wait.t, done, bad]],
];

describe('decideJob', () => {
  it.each(table)('joins the platform saying %s with every state of the disk', (state, expected) => {
    const answers = disks.map((records) => {
      const decision = decideJob(state === null ? null : seen(state), records);
      expect(decision.sentence).not.toBe('');
      return decision.status === 'wait' ? `wait ${decision.phase}` : `ended ${decision.outcome}`;
    });
    expect(answers).toEqual(expected);
  });

  it('tells the reason that the job itself wrote', () => {
    const decision = decideJob(seen('failed'), exited(3, 'the environment does not start'));
    expect(decision.sentence).toBe('the environment does not start');
  });

  it("tells the platform's own word for a status that is not known here", () => {
    expect(decideJob(seen('unknown'), null).sentence).toContain('job_unknown');
  });

  it('does not take a job for ended because it found the claim taken', () => {
    const decision = decideJob(seen('running'), wrote({ claim, duplicates: ['job-2'] }));
    expect(decision).toMatchObject({ status: 'wait', phase: 'training' });
  });
});
