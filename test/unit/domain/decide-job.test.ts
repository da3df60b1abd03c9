import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { decideJob, type JobLimits } from '../../../domain/decide-job.ts';
import type { JobObservation, JobRecords, JobState } from '../../../domain/job.ts';
import { jobTable, platformWords, recordWords } from '../../../domain/job-table.ts';
import { jobTablesMarkdown } from '../../../infra/tools/job-tables.ts';
import { emptyRecords, exited, observation } from '../../support/scripted-activities.ts';

const hour = 3_600_000;
const limits: JobLimits = { maxRunningMs: 12 * hour, mayRestart: false };
const own = 'job-00000000-0000-4000-8000-000000000001';
const other = 'job-00000000-0000-4000-8000-000000000002';

function seen(state: JobState, more: Partial<JobObservation> = {}): JobObservation {
  return observation({ jobId: own, state, rawStatus: `job_${state}`, reason: 'because', ...more });
}

const claim = { jobId: own, host: own, at: 0 };

function wrote(part: Partial<JobRecords>): JobRecords {
  return { ...emptyRecords, ...part };
}

const told = wrote({ claim, exit: exited(143, { signal: 'TERM', reason: 'the job was told to stop' }) });
/** What the disk may say, in the order of the columns below. */
const disks = [
  wrote({}),
  wrote({ claim }),
  wrote({ claim, silent: true }),
  told,
  wrote({ claim, exit: exited(0) }),
  wrote({ claim, exit: exited(1) }),
  wrote({ claim, exit: exited(78, { reason: 'the environment is missing' }) }),
  wrote({
    claim: { ...claim, jobId: other },
    duplicates: [{ jobId: own, startedAt: 0, endedAt: 1 }],
  }),
] as const;

const q = 'queued';
const t = 'training';
const ok = 'succeeded';
/** The last four columns: what the process saw of its own end cannot be outvoted, and who left was displaced. */
const ownEnd = [ok, 'failed', 'refused', 'displaced'];

const failed = seen('failed');
const overTime = seen('failed', { runningMs: 12 * hour });
/** Every pair of witnesses: rows by what the platform says, columns by what the disk says. */
const table: readonly (readonly [string, JobObservation | null, readonly string[]])[] = [
  //                                               nothing alive silent told
  ['nothing, since it was not asked', null, [q, t, t, t]],
  ['pending', seen('pending'), [q, t, q, q]],
  ['queued', seen('queued'), [q, t, q, q]],
  ['running', seen('running'), [t, t, t, t]],
  ['restarting', seen('restarting'), [q, q, q, q]],
  ['stopping', seen('stopping'), [t, t, t, t]],
  ['a status not known here', seen('unknown'), [q, t, t, t]],
  ['that it does not know the job', seen('gone'), ['lost', t, 'lost', 'stopped']],
  ['succeeded', seen('succeeded'), ['not-started', ok, ok, 'stopped']],
  ['failed', failed, ['not-started', 'lost', 'lost', 'preempted']],
  ['stopped', seen('stopped'), ['stopped', 'stopped', 'stopped', 'stopped']],
  [
    'failed after an eviction',
    { ...failed, evicted: true },
    ['preempted', 'preempted', 'preempted', 'preempted'],
  ],
  ['failed at its time limit', overTime, ['time-limit', 'time-limit', 'time-limit', 'time-limit']],
  [
    'stopped at its time limit',
    { ...overTime, state: 'stopped' },
    ['time-limit', 'time-limit', 'time-limit', 'time-limit'],
  ],
  ['queue-out', seen('queue-out'), ['queue-out', 'queue-out', 'queue-out', 'queue-out']],
  ['not started', seen('not-started'), ['not-started', 'lost', 'lost', 'preempted']],
];

function answer(observed: JobObservation | null, records: JobRecords, by = limits): string {
  const decision = decideJob(observed, records, by);
  expect(decision.sentence).not.toBe('');
  expect(decision.sentence).not.toMatch(/[{}]|undefined|null/);
  return decision.status === 'wait' ? decision.phase : decision.outcome;
}

describe('decideJob', () => {
  it.each(table)('joins the platform saying %s with every state of the disk', (_says, observed, expected) => {
    // Whoever was not asked about names no job, and so cannot have been displaced.
    const last = observed === null ? [...ownEnd.slice(0, 3), t] : ownEnd;
    expect(disks.map((records) => answer(observed, records))).toEqual([...expected, ...last]);
  });

  it('holds a sentence for every pair', () => {
    expect(Object.keys(jobTable)).toEqual([...platformWords]);
    for (const word of platformWords) {
      expect(Object.keys(jobTable[word]).toSorted()).toEqual([...recordWords].toSorted());
    }
  });

  it('tells the reason that the job itself wrote', () => {
    const decision = decideJob(
      failed,
      wrote({ claim, exit: exited(78, { reason: 'no environment' }) }),
      limits,
    );
    expect(decision.sentence).toBe('no environment');
  });

  it("tells the platform's own words for a status that is not known here, and of a queue", () => {
    expect(decideJob(seen('unknown'), emptyRecords, limits).sentence).toContain('"job_unknown"');
    expect(decideJob(seen('queued'), emptyRecords, limits).sentence).toBe(
      'the platform says job_queued (because)',
    );
  });

  it('does not take a job for displaced because others were turned away', () => {
    const records = wrote({ claim, duplicates: [{ jobId: other, startedAt: 0, endedAt: 1 }] });
    expect(answer(seen('running'), records)).toBe(t);
  });

  it('does not take a failed round for the end where the platform may start the job again', () => {
    const mayRestart = { ...limits, mayRestart: true };
    const records = wrote({ claim, exit: exited(1) });
    expect(answer(seen('running'), records, mayRestart)).toBe(t);
    expect(answer(seen('restarting'), records, mayRestart)).toBe(t);
    expect(answer(failed, records, mayRestart)).toBe('failed');
    expect(answer(seen('running'), wrote({ claim, exit: exited(0) }), mayRestart)).toBe(ok);
  });

  it('sees the time limit also by the clock of the job itself', () => {
    const exit = exited(143, { signal: 'TERM', reason: 'told', startedAt: hour, endedAt: 13 * hour });
    expect(answer(seen('stopped'), wrote({ claim, exit }))).toBe('time-limit');
  });
});

it('is written down for people in docs/jobs.md', async () => {
  const path = join(import.meta.dirname, '..', '..', '..', 'docs', 'jobs.md');
  expect(await readFile(path, 'utf8')).toBe(jobTablesMarkdown());
});
