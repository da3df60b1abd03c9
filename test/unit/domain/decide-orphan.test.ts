import { describe, expect, it } from 'vitest';

import { decideOrphan, judgeOwner, sightWords, type SightWord } from '../../../domain/decide-orphan.ts';
import type { JobState } from '../../../domain/job.ts';
import { diskWords, type JobOwner, type OrphanDecision, type PlatformSight } from '../../../domain/orphan.ts';

const now = 10_000_000;
const graceMs = 600_000;

function seen(state: JobState, reserving = false): PlatformSight {
  return { status: 'seen', state, rawStatus: `job_${state}`, reserving };
}

/** Every word of the platform, by each way in which it can say it. */
const sights: Readonly<Record<SightWord, readonly PlatformSight[]>> = {
  'no-job': [{ status: 'no-job' }],
  'no-id': [{ status: 'no-id' }],
  unasked: [{ status: 'unasked', why: 'QizhiUnavailable: it is away' }],
  gone: [{ status: 'gone' }, seen('gone')],
  live: [seen('pending'), seen('queued'), seen('running'), seen('restarting')],
  stopping: [seen('stopping')],
  ended: [seen('succeeded'), seen('failed'), seen('stopped'), seen('queue-out'), seen('not-started')],
  reserving: [seen('succeeded', true), seen('failed', true)],
  unclear: [seen('unknown')],
};

/** What is done with a job of nobody, by what the disk says: absent, alive, silent, deaf. */
const closed: Readonly<Record<SightWord, readonly string[]>> = {
  'no-job': ['revoke', 'revoke', 'revoke', 'revoke'],
  'no-id': ['settled', 'stop by disk', 'report', 'report'],
  unasked: ['report', 'report', 'report', 'report'],
  gone: ['settled', 'stop by disk', 'settled', 'report'],
  live: ['stop by platform', 'stop by platform', 'stop by platform', 'stop by platform'],
  stopping: ['look again', 'look again', 'look again', 'look again'],
  ended: ['settled', 'stop by disk', 'settled', 'report'],
  reserving: ['stop by platform', 'stop by platform', 'stop by platform', 'stop by platform'],
  unclear: ['report', 'report', 'report', 'report'],
};

/** Of an owner that is not known to be from here nothing is ever stopped or taken back. */
function notOurs(cells: readonly string[]): readonly string[] {
  return cells.map((cell) => (/^(stop|revoke)/.test(cell) ? 'report' : cell));
}

const owners = {
  closed: { status: 'closed', since: now - graceMs, how: 'its workflow was terminated' },
  young: { status: 'closed', since: now - graceMs + 1, how: 'its workflow was terminated' },
  owned: { status: 'owned', by: 'its workflow' },
  unknown: { status: 'unknown' },
  stranger: { status: 'stranger', created: ['job-1'] },
} as const satisfies Record<string, JobOwner>;

function wordOf(decision: OrphanDecision): string {
  if (decision.action === 'leave') return decision.settled ? 'settled' : 'look again';
  return decision.action === 'stop' ? `stop by ${decision.by}` : decision.action;
}

function row(owner: JobOwner, platform: PlatformSight): OrphanDecision[] {
  return diskWords.map((disk) => decideOrphan({ owner, platform, disk, now, graceMs }));
}

describe.each(sightWords)('when the platform says %s', (word) => {
  it.each([
    ['closed', closed[word]],
    ['unknown', notOurs(closed[word])],
    ['stranger', notOurs(closed[word])],
  ] as const)('judges a job whose owner is %s by what the disk says', (owner, expected) => {
    for (const platform of sights[word]) {
      const decisions = row(owners[owner], platform);
      expect(decisions.map(wordOf)).toEqual(expected);
      for (const decision of decisions) {
        expect(decision.why).toMatch(/\w/);
        expect(decision.why).not.toMatch(/[{}]/);
        if (decision.action === 'report') expect(decision.todo).toMatch(/\w/);
      }
    }
  });

  it.each(['owned', 'young'] as const)('leaves a job that is %s', (owner) => {
    for (const platform of sights[word]) {
      expect(new Set(row(owners[owner], platform).map(wordOf))).toEqual(new Set(['look again']));
    }
  });
});

describe('the words of a decision', () => {
  it('name the status, the trouble and the end of the owner', () => {
    const [stop] = row(owners.closed, seen('queued'));
    expect(stop?.why).toBe('the platform says job_queued; its workflow was terminated');
    const [unasked] = row(owners.closed, { status: 'unasked', why: '$& is away' });
    expect(unasked?.why).toBe('the platform cannot be asked: $& is away');
  });

  it('tell when the grace period ends', () => {
    const owner: JobOwner = { ...owners.closed, since: now - 120_000 };
    expect(judgeOwner(owner, now, graceMs)?.why).toBe(
      'its workflow was terminated 2 min ago: the grace period ends in 8 min',
    );
  });

  it('name the jobs that were created where a stranger holds the claim', () => {
    const [report] = row(owners.stranger, seen('running'));
    expect(report?.why).toContain('job-1');
  });
});
