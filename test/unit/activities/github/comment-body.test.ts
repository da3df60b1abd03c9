import { describe, expect, it } from 'vitest';

import { commentBody, commentLimit } from '../../../../activities/github/comment-body.ts';
import { phases } from '../../../../domain/phase.ts';
import { renderMarkdown } from '../../../../infra/lab/github/markdown.ts';
import type { LiveResults, LiveRun } from '../../../../domain/evidence.ts';
import { exampleStatus } from './example-status.ts';

const curves = [
  {
    url: 'https://github.example/lab/digits/blob/abc/warmup-cosine/1.png?raw=true',
    alt: 'Curves of val/loss',
  },
];
const nasty =
  '``` | </details><img src="https://evil.example/x.png"> @octocat fixes #1 {{ 7*7 }} {% raw %} ![p](https://evil.example/p.png)';

function liveRun(seed: number, change: Partial<LiveRun>): LiveRun {
  return {
    runId: `warmup-a1-s${seed}-tok`,
    url: `https://wandb.example/lab/digits/runs/warmup-a1-s${seed}-tok`,
    seed,
    value: 0.5,
    lastStep: 339,
    rows: 340,
    curve: { label: `seed ${seed}`, seed, step: [0, 100, 339], value: [2, 1, 0.5] },
    state: 'running',
    ...change,
  };
}

describe('commentBody', () => {
  it('begins with the marker and says the verdict first', () => {
    const lines = commentBody(exampleStatus(), curves).split('\n');
    expect(lines[0]).toBe('<!-- hephaestus:warmup-cosine -->');
    expect(lines[1]).toBe('## Better: Cosine warm-up lowers validation loss');
  });

  it('compares every seed with the named baseline, and mean with mean', () => {
    const body = commentBody(exampleStatus(), curves);
    expect(body).toContain(
      '| 0 | 0.231 | -0.02533 (-9.9 %) | [warmup-cosine-a1-s0-abcd](https://wandb.example/lab/digits/runs/warmup-cosine-a1-s0-abcd) | `job-00000000-0000-4000-8000-000000000000` | 0.5 | – | – |',
    );
    expect(body).toContain('| **mean ± std of 2** | **0.2345 ± 0.0049** |');
    expect(body).toContain('| first-baseline, mean ± std of 3 | 0.2563 ± 0.0060 |');
    const html = renderMarkdown(body);
    expect(html.match(/<table>/g)).toHaveLength(2);
    expect(html).toContain(
      '<img src="https://github.example/lab/digits/blob/abc/warmup-cosine/1.png?raw=true"',
    );
  });

  it('tells time and memory of each job, and both intervals', () => {
    const status = exampleStatus();
    const evidence = status.evidence && {
      ...status.evidence,
      jobs: status.evidence.jobs.map((job) => ({ ...job, wallHours: 0.5, peakMemoryBytes: 3 * 2 ** 30 })),
    };
    const body = commentBody({ ...status, evidence }, curves);
    expect(body).toContain('| 0.5 | 30 min | 3 GiB |');
    expect(body).toMatch(
      /Of the difference, 95 %: -0\.\d+ to -?0\.\d+ \(Welch, decides\), -0\.\d+ to -0\.\d+ \(bootstrap\)\./,
    );
    const attempts = status.attempts.map((attempt) => ({
      ...attempt,
      jobs: attempt.jobs.map((job) => ({ ...job, peakMemoryBytes: 1.5 * 2 ** 20 })),
    }));
    expect(commentBody({ ...status, attempts }, curves)).toContain('| 0.5 | – | 1.5 MiB |');
  });

  it('shows a picture for light and for dark pages, and the curves in words', () => {
    const [light] = curves.map((picture) => ({
      ...picture,
      darkUrl: `${picture.url}&dark=1`,
      lines: [{ label: 'seed 0', first: 2, line: '█▅▂×', last: 0.25, lastStep: 90, gaps: 1 }],
    }));
    const html = renderMarkdown(commentBody(exampleStatus(), light === undefined ? [] : [light]));
    expect(html).toContain('<picture><source media="(prefers-color-scheme: dark)" srcset="');
    expect(html).toMatch(
      /<img alt="Curves of val\/loss" src="[^"]+1\.png\?raw=true" width="680"><\/picture>/,
    );
    expect(html).toMatch(/<td>seed 0<\/td>\s*<td align="right">2<\/td>\s*<td>█▅▂×<\/td>/);
  });

  describe('while jobs train', () => {
    const training = exampleStatus({ phase: 'training', evidence: null });
    const live: LiveResults = {
      asOf: '2026-11-24T14:05:31.000Z',
      metric: { name: 'val/loss', goal: 'minimize' },
      runs: [
        liveRun(0, {}),
        liveRun(1, {
          rows: 0,
          url: '',
          state: null,
          value: null,
          curve: { label: '', seed: 1, step: [], value: [] },
        }),
      ],
      baseline: { name: 'first-baseline', runs: [liveRun(7, { value: 0.25 }), liveRun(8, { value: 0.27 })] },
    };

    it('tells what W&B has so far, and as of when', () => {
      const body = commentBody(training, [], live);
      expect(body).toContain('### Results');
      expect(body).toContain('**live, 340 rows so far, as of 14:05 UTC**: nothing of it is final.');
      expect(body).toContain(
        '| 0 | [warmup-a1-s0-tok](https://wandb.example/lab/digits/runs/warmup-a1-s0-tok) | running | 340 | 339 | 0.5 | █▃▁ |',
      );
      expect(body).toContain('| 1 | warmup-a1-s1-tok | not there yet | 0 | – | – |');
      expect(body).toContain('| first-baseline | | mean ± std of 2, at the end | | | 0.260 ± 0.014 | |');
      expect(renderMarkdown(body).match(/<table>/g)).toHaveLength(2);
    });

    it('says nothing of it once there is evidence, or an end', () => {
      expect(commentBody(exampleStatus(), [], live)).not.toContain('rows so far');
      expect(commentBody(exampleStatus({ phase: 'failed', evidence: null }), [], live)).not.toContain(
        'rows so far',
      );
    });

    it('stays below the limit, and keeps words in their place', () => {
      const many = Array.from({ length: 400 }, (_, seed) =>
        liveRun(seed, { runId: nasty.repeat(5), state: nasty }),
      );
      const body = commentBody(training, [], { ...live, runs: many });
      expect(body.length).toBeLessThan(commentLimit);
      expect(renderMarkdown(commentBody(training, [], { ...live, runs: many.slice(0, 2) }))).not.toContain(
        '<img',
      );
    });
  });

  it('says what is waited for, which words can be given, and which were refused and why', () => {
    const body = commentBody(exampleStatus(), curves);
    expect(body).toContain('Waiting for the decision of the PI.');
    expect(body).toContain('`npm run -s hephaestus -- merge warmup-cosine --head a1b2c3d4e5f6`');
    expect(body).toContain('`npm run -s hephaestus -- reject warmup-cosine --head a1b2c3d4e5f6`');
    expect(body).toContain('<code>/hephaestus revise …</code> as a comment');
    expect(body).toContain('`/hephaestus rerun` as a comment');
    expect(body).toContain('there is no evidence yet: the experiment is training');
    expect(body).toContain('`a1b2c3d4e5f6`');
    expect(body).toContain('1 GPU hours');
    expect(body).toContain(
      '- [training](https://wandb.example/lab/digits/runs/warmup-cosine-a1-s0-abcd): 46 min, from 2026-11-24 12:03 UTC',
    );
  });

  it.each([...phases, 'merged', 'rejected', 'stopped', 'failed'] as const)(
    'can be written in the phase %s',
    (phase) => {
      const early = exampleStatus({
        phase,
        evidence: null,
        gate: null,
        environment: null,
        headSha: null,
        attempts: [],
        links: [],
        failure: phase === 'failed' ? { type: 'JobFailed', message: 'exit code 1' } : null,
      });
      const body = commentBody(early, curves);
      expect(body).toMatch(new RegExp(`^<!-- .* -->\n## ${phase}: `, 'i'));
      expect(body).not.toContain('png');
      expect(body).not.toMatch(/undefined|null|NaN|\[object/);
      const late = commentBody(exampleStatus({ phase }), curves);
      expect(late).not.toMatch(/undefined|null|NaN|\[object/);
    },
  );

  it('offers to let a blocked gate pass', () => {
    const gate = { status: 'block', reasons: ['no repair is left'] } as const;
    const body = commentBody(exampleStatus({ phase: 'reviewing', evidence: null, gate }), []);
    expect(body).toContain('/hephaestus approve-quality …');
    expect(body).not.toContain('-- merge');
  });

  it('lets nothing out of its place, whatever stands in the fields', () => {
    const status = exampleStatus({
      title: nasty,
      waitingFor: nasty,
      failure: { type: 'JobFailed', message: nasty },
      gate: { status: 'pass', reasons: [nasty] },
      refused: [{ kind: 'merge', by: '@octocat', at: 'now', why: nasty }],
      links: [{ label: nasty, url: 'javascript:alert(1)' }],
    });
    const evidence = status.evidence && {
      ...status.evidence,
      metric: { name: nasty, goal: 'minimize' as const },
      jobs: status.evidence.jobs.map((job) => ({ ...job, jobId: nasty, runId: nasty })),
      baseline: { name: nasty, values: [1] },
    };
    const body = commentBody({ ...status, evidence }, curves);
    const html = renderMarkdown(body);
    expect(html.match(/<img /g)).toHaveLength(1);
    expect(html.match(/<details/g)).toHaveLength(3);
    expect(html.match(/<\/details>/g)).toHaveLength(3);
    expect(html.match(/<table>/g)).toHaveLength(2);
    expect(html).not.toMatch(/@octocat|#1\b|href="javascript|evil\.example\/p\.png"/);
    expect(html).toContain('{{ 7*7 }}');
  });

  it('never gets longer than GitHub takes', () => {
    const long = '<|>@'.repeat(5000);
    const base = exampleStatus();
    const job = base.attempts[0]?.jobs[0];
    const evidenceJob = base.evidence?.jobs[0];
    if (job === undefined || evidenceJob === undefined || base.evidence === null)
      throw new Error('the example has a job');
    const seeds = Array.from({ length: 32 }, (_, seed) => seed);
    const body = commentBody(
      {
        ...base,
        waitingFor: long,
        failure: { type: 'JobFailed', message: long },
        gate: { status: 'block', reasons: seeds.map(() => long) },
        refused: seeds.map(() => ({ kind: 'merge', by: long, at: 'now', why: long })),
        attempts: seeds.map((number) => ({
          number,
          headSha: '',
          jobs: seeds.map((seed) => ({
            ...job,
            seed,
            detail: long,
            runUrl: `https://wandb.example/${'x'.repeat(1900)}`,
          })),
        })),
        evidence: {
          ...base.evidence,
          jobs: seeds.map((seed) => ({
            ...evidenceJob,
            seed,
            runId: long,
            jobId: long,
            runUrl: `https://wandb.example/${'x'.repeat(1900)}`,
          })),
        },
        phases: Array.from({ length: 500 }, () => ({
          phase: 'training',
          startedAt: base.since,
          endedAt: base.since,
        })),
        links: seeds.map(() => ({ label: long, url: `https://wandb.example/${'x'.repeat(1900)}` })),
      },
      curves,
    );
    expect(body.length).toBeLessThanOrEqual(commentLimit);
    expect(body).toContain('<!-- hephaestus:warmup-cosine -->');
    expect(body).toContain(base.evidence.verdict.sentence.slice(0, 20));
  });
});
