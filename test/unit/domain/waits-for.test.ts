import { describe, expect, it } from 'vitest';

import type { ExperimentStatus } from '../../../domain/experiment.ts';
import { personWaits, waitsFor } from '../../../domain/waits-for.ts';
import { exampleStatus } from '../client/example-experiment.ts';

const job = {
  seed: 1,
  state: 'unknown-submission',
  detail: '',
  jobId: null,
  runId: 'r',
  runUrl: null,
  outcome: null,
  gpuHours: 0,
  question: 'Is there a job?',
  duplicates: [],
  peakMemoryBytes: null,
} as const;

function markOf(since: string): string | undefined {
  return personWaits(exampleStatus({ phase: 'deciding', since }))[0]?.mark;
}

describe('waitsFor', () => {
  it.each<[Partial<ExperimentStatus>, string, readonly string[]]>([
    [{ phase: 'training' }, 'cluster', []],
    [{ phase: 'implementing' }, 'agent', []],
    [{ phase: 'reviewing', gate: { status: 'wait', reasons: ['Copilot'] } }, 'github', []],
    [{ phase: 'reviewing', gate: { status: 'block', reasons: ['closed by hand'] } }, 'person', ['gate']],
    // The answer of an earlier review stands there until the next one.
    [{ phase: 'training', gate: { status: 'block', reasons: ['old'] } }, 'cluster', []],
    [{ phase: 'deciding' }, 'person', ['decision']],
    [{ phase: 'submitting', stalled: true }, 'person', ['stalled']],
    [{ phase: 'submitting', attempts: [{ number: 1, headSha: 'a', jobs: [job] }] }, 'person', ['question']],
    [{ phase: 'proposing', pushRefused: 'it was moved' }, 'person', ['push']],
    // The next push goes on to the review.
    [{ phase: 'reviewing', pushRefused: 'it was moved' }, 'github', []],
    [{ phase: 'merged', stalled: true }, 'nobody', []],
  ])('of %j is %s', (more, whom, kinds) => {
    const status = exampleStatus(more);
    expect(waitsFor(status)).toBe(whom);
    expect(personWaits(status).map(({ kind }) => kind)).toEqual(kinds);
  });

  it('tells a decision from the one before it, and the same from nothing', () => {
    expect(markOf('2026-01-01T00:00:00.000Z')).toBe(markOf('2026-01-01T00:00:00.000Z'));
    expect(markOf('2026-01-01T00:00:00.000Z')).not.toBe(markOf('2026-01-02T00:00:00.000Z'));
  });
});
