import type { NoteFacts } from '../../domain/note.ts';
import { verdict } from '../../domain/verdict.ts';
import { exampleNote } from './example-note.ts';

/** The facts of a merged experiment with two seeds; give what a test is about. */
export function noteFacts(overrides: Partial<NoteFacts> = {}): NoteFacts {
  const task = exampleNote();
  const values = [0.1012, 0.0987];
  const baseline = [0.2031, 0.2012, 0.2055];
  return {
    experimentId: task.id,
    startedAt: '2026-11-24T16:54:03.120Z',
    outcome: 'merged',
    task,
    evidence: {
      headSha: 'a'.repeat(40),
      environmentDigest: 'deadbeef',
      attempt: 1,
      jobs: values.map((value, seed) => ({
        seed,
        jobId: `job-${seed}`,
        runId: `run-${seed}`,
        runUrl: `http://wandb.example/${seed}`,
        value,
        gpuHours: 0.01,
      })),
      metric: task.metric,
      baseline: { name: 'first-baseline', values: baseline },
      verdict: verdict(values, baseline, 'minimize'),
      gpuHours: 0.02,
      wallHours: 0.25,
    },
    decision: { kind: 'merge', by: 'pi', head: 'aaaaaaa', at: '2026-11-24T17:00:00Z' },
    pullRequestUrl: 'http://github.example/lab/digits/pull/1',
    mergeSha: 'b'.repeat(40),
    headSha: 'a'.repeat(40),
    jobIds: ['job-0', 'job-1'],
    runUrls: ['http://wandb.example/0', 'http://wandb.example/1'],
    environmentDigest: 'deadbeef',
    gpuHours: 0.02,
    wallHours: 0.25,
    tokens: 1234,
    failure: null,
    ...overrides,
  };
}
