import { describe, expect, it } from 'vitest';

import { commentBody } from '../../../activities/github/comment-body.ts';
import type { Experiments } from '../../../client/experiments.ts';
import type { DecisionRequest } from '../../../domain/decision.ts';
import type { SettleRequest } from '../../../domain/decide-settle.ts';
import type { ExperimentStatus, JobStatus } from '../../../domain/experiment.ts';
import { presentStatus } from '../../../workflows/present-status.ts';
import { exampleSeen, exampleStatus, head } from './example-experiment.ts';
import { runIn } from './run-in.ts';

const jobId = 'job-00000000-0000-4000-8000-00000000000a';

function job(seed: number, more: Partial<JobStatus> = {}): JobStatus {
  return {
    seed,
    state: 'unknown-submission',
    detail: 'the answer to create was lost',
    jobId: null,
    runId: `run-${seed}`,
    runUrl: null,
    outcome: null,
    gpuHours: 0,
    question: 'Does the console show hephaestus-warmup-a1-s0?',
    duplicates: [],
    peakMemoryBytes: null,
    ...more,
  };
}

function asking(...jobs: JobStatus[]): ExperimentStatus {
  return exampleStatus({ phase: 'submitting', attempts: [{ number: 1, headSha: head, jobs }] });
}

function settlers(status: ExperimentStatus) {
  const said: SettleRequest[] = [];
  const calls: Partial<Experiments> = {
    see: async () => exampleSeen({ status }),
    settle: async (_id, request) => void said.push(request),
  };
  return { said, calls };
}

describe('settle', () => {
  it.each([
    [['--job', jobId.toUpperCase()], jobId],
    [['--none'], null],
  ])('answers %j for the one seed that is asked about', async (answer, expected) => {
    const { said, calls } = settlers(asking(job(0, { question: null, state: 'running' }), job(3)));
    const ran = await runIn(['settle', 'warmup', ...answer], { calls });
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(said).toEqual([{ by: 'ann', seed: 3, jobId: expected }]);
  });

  it.each([
    [[], /exactly one answer/],
    [['--none', '--job', jobId], /exactly one answer/],
    [['--none'], /Several submissions are asked about \(seeds 0, 1\): add --seed/],
    [['--none', '--seed', 'x'], /whole number/],
  ])('exits 2 for %j', async (args, message) => {
    const { said, calls } = settlers(asking(job(0), job(1)));
    const ran = await runIn(['settle', 'warmup', ...args], { calls });
    expect([ran.code, said]).toEqual([2, []]);
    expect(ran.err).toMatch(message);
  });

  it('says so when nothing is asked', async () => {
    const { calls } = settlers(asking(job(0, { question: null })));
    expect(await runIn(['settle', 'warmup', '--none'], { calls })).toMatchObject({
      code: 2,
      err: expect.stringContaining('Nothing is asked') as string,
    });
  });
});

describe('rerun and revise', () => {
  it.each<[readonly string[], Partial<DecisionRequest>]>([
    [['rerun', 'warmup', '--seeds', '3, 4'], { kind: 'rerun', seeds: [3, 4] }],
    [['rerun', 'warmup'], { kind: 'rerun', seeds: undefined }],
    [['revise', 'warmup', 'a longer warm-up'], { kind: 'revise', instructions: 'a longer warm-up' }],
  ])('%j', async (args, expected) => {
    const said: DecisionRequest[] = [];
    const calls: Partial<Experiments> = {
      see: async () => exampleSeen(),
      decide: async (_id, request) => void said.push(request),
    };
    expect((await runIn(args, { calls })).code).toBe(0);
    expect(said).toMatchObject([expected]);
  });

  it.each([['a'], ['1,,2'], ['-1'], ['1.5']])('does not take the seeds %s', async (seeds) => {
    expect((await runIn(['rerun', 'warmup', `--seeds=${seeds}`])).code).toBe(2);
  });
});

describe('what only a person can settle', () => {
  const status = asking(job(0), job(1, { seed: 1, question: null, state: 'running', jobId }));

  it('is told with both answers by show', async () => {
    const { out } = await runIn(['show', 'warmup'], { calls: { see: async () => exampleSeen({ status }) } });
    expect(out).toContain('Asked of you\n  seed 0: Does the console show hephaestus-warmup-a1-s0?');
    expect(out).toMatch(/hephaestus settle warmup --job job-… .*this one/);
    expect(out).toMatch(/hephaestus settle warmup --none .*a new attempt of seed 0/);
  });

  it('is told with both answers in the pull request and in the Web UI', () => {
    const body = commentBody(status, []);
    expect(body).toContain('### Your answer');
    expect(body).toContain('settle warmup --seed 0 --job job-…');
    expect(body).toContain('settle warmup --seed 0 --none');
    const details = presentStatus(status);
    expect(details).toContain('{"seed": 0, "jobId": null}');
    expect(details).toContain('settle warmup --seed 0 --none');
  });
});

describe('an experiment whose jobs left only a person to help', () => {
  const stalled = exampleStatus({ phase: 'submitting', stalled: true, waitingFor: 'your word' });

  it('offers rerun, revise and reject wherever people look', async () => {
    const { out } = await runIn(['show', 'warmup'], {
      calls: { see: async () => exampleSeen({ status: stalled }) },
    });
    for (const text of [out, commentBody(stalled, []), presentStatus(stalled)]) {
      for (const word of ['rerun warmup', 'revise warmup', 'reject warmup', 'stop warmup'])
        expect(text).toContain(word);
    }
  });
});

describe('a job that cost more than its training', () => {
  it('shows peak memory and the jobs that were turned away', async () => {
    const status = asking(job(0, { question: null, duplicates: [jobId], peakMemoryBytes: 3 * 2 ** 30 }));
    const { out } = await runIn(['show', 'warmup'], { calls: { see: async () => exampleSeen({ status }) } });
    expect(out).toContain(`peak memory 3 GiB; turned away as duplicates: ${jobId}`);
  });
});
