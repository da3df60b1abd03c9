import { expect, it } from 'vitest';

import { pullRequestBody } from '../../../../activities/github/pull-request-body.ts';
import { renderMarkdown } from '../../../../infra/lab/github/markdown.ts';
import { exampleNote } from '../../../support/example-note.ts';

const nasty = '``` <img src=x> @octocat closes #1 {{ 7*7 }} </details>';

it('says what to judge, how to run it again, and what it may cost', () => {
  const body = pullRequestBody({
    experimentId: 'warmup-cosine',
    note: exampleNote(),
    body: '## Why\nTo see.',
    headSha: 'a'.repeat(40),
    summary: 'Added a warm-up.',
    environmentDigest: 'e'.repeat(64),
  });
  expect(body).toContain('> A 10-step warm-up lowers validation loss by at least 2 % at equal compute.');
  expect(body).toContain('the experiment first-baseline');
  expect(body).toContain('Added a warm-up.');
  expect(body).toContain(`git checkout ${'a'.repeat(40)}`);
  expect(body).toContain('WANDB_MODE=offline HEPHAESTUS_SEED=0 python train.py --seed 0');
  expect(body).toContain('8 GPU hours, 3 attempts');
  expect(body).toContain('e'.repeat(64));
});

it('lets nothing out of its place', () => {
  const note = exampleNote({
    hypothesis: nasty,
    job: { ...exampleNote().job, command: nasty, image: nasty },
  });
  const input = { experimentId: 'x', headSha: 'a'.repeat(40), environmentDigest: nasty };
  const html = renderMarkdown(pullRequestBody({ ...input, note, body: nasty, summary: nasty }));
  expect(html.match(/<pre>/g)).toHaveLength(1);
  expect(html.match(/<\/details>/g)).toHaveLength(1);
  expect(html).not.toMatch(/<img|49/);
  expect(html.replace(/<pre>.*?<\/pre>/s, '')).not.toMatch(/@octocat|#1\b/);
});
