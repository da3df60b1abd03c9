import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import { commentBody, commentLimit } from '../../../../activities/github/comment-body.ts';
import { renewBody } from '../../../../activities/github/generated-block.ts';
import { pullRequestBody } from '../../../../activities/github/pull-request-body.ts';
import { qualitySummary } from '../../../../activities/github/quality-summary.ts';
import type { ExperimentStatus } from '../../../../domain/experiment.ts';
import { exampleNote } from '../../../support/example-note.ts';
import { exampleStatus } from './example-status.ts';
import { hostile, notifying, see, toHtml } from './hostile.ts';

const own = 'https://github.example/lab/digits/';
const pictures = [
  {
    url: `${own}blob/abc/1.png?raw=true`,
    darkUrl: `${own}blob/abc/2.png?raw=true`,
    alt: 'Curves',
    lines: [{ label: 'seed 0', first: 2, line: '█▅▂', last: 0.25, lastStep: 90, gaps: 0 }],
  },
];

/** The example with the same hostile words in every field that comes from outside. */
function filledWith(words: string): ExperimentStatus {
  const base = exampleStatus();
  const evidence = base.evidence && {
    ...base.evidence,
    metric: { name: words, goal: 'minimize' as const },
    jobs: base.evidence.jobs.map((job) => ({ ...job, jobId: words, runId: words })),
    baseline: { name: words, values: [1] },
    verdict: { ...base.evidence.verdict, sentence: words },
  };
  return {
    ...base,
    title: words,
    waitingFor: words,
    warnings: [words],
    failure: { type: 'JobFailed', message: words },
    evidence,
    gate: {
      status: 'block',
      reasons: [words],
      lines: [{ name: words, state: 'failed', detail: words, url: `${own}x` }],
    },
    decision: { kind: 'merge', by: words, head: undefined, at: base.since, reason: words },
    refused: [{ kind: 'merge', by: words, at: words, why: words }],
    attempts: base.attempts.map((attempt) => ({
      ...attempt,
      jobs: attempt.jobs.map((job) => ({
        ...job,
        detail: words,
        jobId: words,
        runId: words,
        question: words,
      })),
    })),
    links: [{ label: words, url: `${own}pulls` }],
    note: { path: words, commit: null },
  };
}

const allowed = /^https:\/\/(?:github|wandb)\.example\//;

it('keeps hostile words of any field in their place in the comment', () => {
  const structure = see(toHtml(commentBody(filledWith('word'), pictures))).elements;
  fc.assert(
    fc.property(hostile, (words) => {
      const body = commentBody(filledWith(words), [{ ...pictures[0], alt: words } as (typeof pictures)[0]]);
      expect(body.length).toBeLessThanOrEqual(commentLimit);
      expect(body.isWellFormed()).toBe(true);
      expect(body.startsWith('<!-- hephaestus:warmup-cosine -->\n')).toBe(true);
      const seen = see(toHtml(body));
      expect(seen.elements.filter((name) => !/^\/?(?:code|em|strong|p|br)$/.test(name))).toEqual(
        structure.filter((name) => !/^\/?(?:code|em|strong|p|br)$/.test(name)),
      );
      expect(seen.words).not.toMatch(notifying);
      for (const url of seen.links) expect(url).toMatch(allowed);
      for (const url of seen.pictures) expect(url.startsWith(own)).toBe(true);
    }),
    { numRuns: 150, seed: 3 },
  );
}, 60_000);

function bodyOf(words: string): string {
  return pullRequestBody({
    experimentId: 'x',
    note: exampleNote({
      hypothesis: words,
      title: words,
      job: { ...exampleNote().job, command: words, image: words },
      change: { paths: [words] },
      metric: { name: words, goal: 'minimize' },
    }),
    body: words,
    headSha: 'a'.repeat(40),
    summary: words,
    environmentDigest: words,
  });
}

it('keeps hostile words in their place in the body, and the body renewable', () => {
  fc.assert(
    fc.property(hostile, hostile, (words, others) => {
      const body = renewBody(null, bodyOf(words));
      const { links, pictures: shown, elements, words: read } = see(toHtml(body));
      expect(links).toEqual([]);
      expect(shown).toEqual([]);
      expect(read).not.toMatch(notifying);
      expect(elements.filter((name) => name === 'pre')).toHaveLength(1);
      for (const name of ['details', 'summary', 'table']) {
        expect(elements.filter((one) => one === name).length).toBe(
          elements.filter((one) => one === `/${name}`).length,
        );
      }
      // A person's words around the generated part stay, whatever is in it.
      const renewed = renewBody(`mine above\n\n${body}mine below`, bodyOf(others));
      expect(renewed).toBe(`mine above\n\n${renewBody(null, bodyOf(others))}mine below`);
    }),
    { numRuns: 150, seed: 5 },
  );
}, 60_000);

it('keeps hostile words in their place in the check run', () => {
  fc.assert(
    fc.property(hostile, (words) => {
      const line = { name: words, state: 'failed', detail: words, url: null } as const;
      const summary = qualitySummary({ description: words, lines: [line, line] });
      const seen = see(toHtml(summary));
      expect(seen.words).not.toMatch(notifying);
      expect([seen.links, seen.pictures]).toEqual([[], []]);
      expect(seen.elements.filter((name) => name === 'tr')).toHaveLength(3);
      expect(seen.elements.filter((name) => name === 'td')).toHaveLength(6);
    }),
    { numRuns: 150, seed: 5 },
  );
});

it('says what was left out when the whole does not fit', () => {
  const base = filledWith('<|>@'.repeat(3000));
  const [one] = base.refused;
  const many = {
    ...base,
    refused: Array.from({ length: 500 }, () => one).filter((each) => each !== undefined),
  };
  const body = commentBody(many, pictures);
  expect(body.length).toBeLessThanOrEqual(commentLimit);
  expect(body).toMatch(/Left out here, .*: \d+ of 500 refused decisions/);
  expect(commentBody(exampleStatus(), pictures)).not.toContain('Left out');
});
