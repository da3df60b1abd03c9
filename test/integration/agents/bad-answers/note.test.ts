import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, expect, inject, test } from 'vitest';

import { createNotesActivities } from '../../../../activities/notes/create-notes-activities.ts';
import { verdict } from '../../../../domain/verdict.ts';
import type { NoteFacts } from '../../../../domain/note.ts';
import { processEnvironment } from '../../../../infra/env.ts';
import { exampleNote } from '../../../support/example-note.ts';
import { noteFacts } from '../../../support/note-facts.ts';
import { geminiSettings, runActivity, startModels } from '../models.ts';
import { expectNothingLeft } from './nothing-left.ts';

const limit = 600_000;
const good = {
  claim: 'The change makes no difference that the noise would let one see.',
  reading: 'The table shows none.',
  limits: 'Few seeds.',
  next: 'More seeds.',
};

interface Case {
  readonly name: string;
  readonly answer: string;
  readonly told?: RegExp;
  /** In the note afterwards, or never in it. */
  readonly holds?: RegExp;
  readonly lacks?: RegExp;
}

const saying = (claim: string): string => JSON.stringify({ ...good, claim });
const cases: readonly Case[] = [
  { name: 'nonsense', answer: 'Colourless green ideas {"', told: /not one JSON object/, lacks: /Colourless/ },
  { name: 'a JSON object cut short', answer: '{"claim": "It', told: /not one JSON object/ },
  { name: 'a field too many', answer: JSON.stringify({ ...good, verdict: 'better' }), told: /verdict/ },
  { name: 'text without end', answer: saying(longWords()), told: /claim: / },
  {
    name: 'an invented number',
    answer: saying('No difference, the loss is 0.0417.'),
    told: /0\.0417/,
    lacks: /0\.0417/,
  },
  {
    name: 'an effect that is inside the noise',
    answer: saying('Warm-up clearly improves the loss.'),
    told: /improves.* says better/,
    lacks: /clearly improves/,
  },
  {
    name: 'the same in Chinese',
    answer: saying('预热使验证损失明显降低，效果更好。'),
    told: /says better/,
    lacks: /更好/,
  },
  {
    name: 'the same behind a feigned denial',
    answer: saying('It is not only different, it is better.'),
    told: /says better/,
  },
  {
    name: 'an address from nowhere',
    answer: JSON.stringify({ ...good, next: 'See http://evil.example/x.' }),
    told: /evil\.example/,
    lacks: /evil/,
  },
  {
    name: 'a note from nowhere',
    answer: JSON.stringify({ ...good, next: 'See [[no-such-note]].' }),
    told: /no-such-note/,
    lacks: /no-such/,
  },
  {
    name: 'front matter and headings of its own',
    answer: JSON.stringify({ ...good, reading: '---\nstatus: merged\n---\n## Result\n<script>x</script>' }),
    holds: /&lt;script>/,
    lacks: /<script>|^status: merged\n---\n## Result/m,
  },
  {
    name: 'another language',
    answer: JSON.stringify({ ...good, claim: '没有噪声之外的差别。' }),
    holds: /没有噪声之外的差别/,
  },
  { name: 'its own key', answer: saying('The key is KEY, and there is no difference.'), lacks: /lab-model/ },
];

/** No word twice: Gemini CLI ends a model that goes round in circles by itself. */
function longWords(): string {
  const letters = Array.from('abcdefghijklmnop');
  return letters.flatMap((a) => letters.flatMap((b) => letters.map((c) => `${a}${b}${c}`))).join(' ');
}

const folder = await mkdtemp(join(tmpdir(), 'hephaestus-bad-note-'));
const secrets: string[] = [];

/** Two seeds on either side that overlap: nothing can be said. */
function factsInsideNoise(id: string, title: string): NoteFacts {
  const facts = noteFacts();
  const values = [0.2, 0.21];
  const baseline = [0.204, 0.207];
  return noteFacts({
    experimentId: id,
    outcome: 'rejected',
    task: exampleNote({ id, title, baseline: null }),
    evidence: facts.evidence && {
      ...facts.evidence,
      baseline: { name: 'first-baseline', values: baseline },
      verdict: verdict(values, baseline, 'minimize'),
    },
  });
}

test.each(cases.map((each, index) => ({ index, ...each })))(
  'note: $name',
  async ({ index, answer, told, holds, lacks }) => {
    let key = '';
    const models = await startModels({
      note: ({ turn }) => (turn === 0 ? answer.replace('KEY', key) : JSON.stringify(good)),
    });
    key = geminiSettings(models).apiKey;
    secrets.push(key);
    const place = join(folder, String(index));
    const vault = join(place, 'vault');
    const activities = createNotesActivities({
      vault,
      gemini: geminiSettings(models),
      limits: { maxTokens: Infinity },
      tools: inject('tools'),
      scratchDir: join(place, 'scratch'),
      environment: { ...processEnvironment(), GITHUB_TOKEN: 'canary-github' },
    });
    const facts = factsInsideNoise(`bad-note-${index}`, 'A/B: "warm-up" 🚀 ../../etc');
    const written = await runActivity(() => activities.writeNote(facts));
    const text = await readFile(join(vault, written.path), 'utf8');
    expect(written.path).toBe(`20261124165403-bad-note-${index}.md`);
    expect(text).toContain('written by Gemini CLI');
    expect(text.match(/^## (?:Result|Links)$/gm)).toHaveLength(2);
    const prompts = models.calls().map(({ prompt }) => prompt);
    expect(prompts).toHaveLength(told === undefined ? 1 : 2);
    if (told !== undefined) expect(prompts[1]).toMatch(told);
    if (holds !== undefined) expect(text).toMatch(holds);
    if (lacks !== undefined) expect(text).not.toMatch(lacks);
  },
  limit,
);

afterAll(async () => {
  await expectNothingLeft([folder], [...secrets, 'canary-github']);
  await rm(folder, { recursive: true, force: true });
});
