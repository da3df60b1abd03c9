import { expect, test } from 'vitest';
import { parse } from 'yaml';

import { readNote } from '../../../../activities/notes/catalogued-note.ts';
import { plainTexts } from '../../../../activities/notes/plain-texts.ts';
import { noteFrontMatter, noteStem, renderNote } from '../../../../activities/notes/render-note.ts';
import { noteOfIdea, type NoteFacts } from '../../../../domain/note.ts';
import { exampleNote } from '../../../support/example-note.ts';
import { noteFacts } from '../../../support/note-facts.ts';

const keys =
  'id title type date status repository hypothesis metric value baseline_value delta noise_std seeds pr_url merge_sha head_sha job_ids run_urls environment image gpu_hours wall_hours decided_by decided_at tags parent';

function render(facts: NoteFacts, texts = plainTexts(facts)): string {
  const path = '20260101000000-first-baseline.md';
  const parent = readNote(path, '---\ntitle: The [first] baseline\ntype: experiment\n---\n');
  const links = { parentStem: '20260101000000-first-baseline', parent, near: [] };
  return renderNote(facts, { texts, author: 'By hand.', tokens: 0, usage: [] }, links);
}

test('the front matter is flat, complete, and keeps an id of digits a string', () => {
  const text = noteFrontMatter(noteFacts({ experimentId: '0042' }), 'x');
  const data = parse(text) as Record<string, unknown>;
  expect(Object.keys(data)).toEqual(keys.split(' '));
  expect(data).toMatchObject({ id: '0042', type: 'experiment', status: 'merged', seeds: [0, 1] });
  expect(data['parent']).toBe('[[x]]');
  expect(text).toMatch(/^date: 2026-11-24T16:54:03\.120Z$/m);
  expect(
    Object.values(data).some((value) => typeof value === 'object' && !Array.isArray(value) && value !== null),
  ).toBe(false);
});

test('the file is named after the start, so that a repeat writes the same one', () => {
  expect(noteStem(noteFacts())).toBe('20261124165403-warmup-cosine');
});

test('the headings stand in their order, and the table holds every value', () => {
  const text = render(noteFacts());
  expect([...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)).toEqual([
    'Claim',
    'Why',
    'What changed',
    'Result',
    'Reading',
    'Limits',
    'Next',
    'Links',
  ]);
  for (const value of [
    '0.1012',
    '0.0987',
    '0.2031',
    '0.203267',
    '-0.103317',
    '0.00176777',
    '[[20260101000000-first-baseline]]',
    '[The \\[first\\] baseline](20260101000000-first-baseline.md)',
  ])
    expect(text).toContain(value);
});

test('a failed experiment has a note too, whose title does not claim what was not found', () => {
  const facts = noteFacts({ outcome: 'failed', evidence: null, decision: null, failure: 'the job failed' });
  const text = render(facts);
  expect(text).toContain('# Not settled: ');
  expect(text).toContain('There is no result: the job failed.');
  expect(parse(noteFrontMatter(facts, null))).toMatchObject({ value: null, parent: null, seeds: [0, 1] });
});

test('an idea that never became a task note has a note, which tells of the idea and of what ended it', () => {
  const task = noteOfIdea({
    idea: 'warm the learning rate up\nover 500 steps',
    repository: 'lab/digits',
    base: 'main',
  });
  const facts = noteFacts({ ...nothingHappened, task, failure: 'TaskNoteInvalid: the metric is not logged' });
  const text = render(facts);
  expect(text).toContain('# Not settled: warm the learning rate up over 500 steps');
  expect(text).toContain('There is no result: TaskNoteInvalid: the metric is not logged.');
  expect(text).not.toMatch(/undefined|null`|Command:|Files that could change/);
  expect(parse(noteFrontMatter(facts, null))).toMatchObject({
    status: 'failed',
    repository: 'lab/digits',
    hypothesis: 'warm the learning rate up over 500 steps',
    metric: null,
    image: null,
    seeds: [],
  });
});

const nothingHappened = {
  outcome: 'failed',
  evidence: null,
  decision: null,
  environmentDigest: null,
  headSha: null,
  mergeSha: null,
  pullRequestUrl: null,
} as const;

test('words of others stay words', () => {
  const texts = { ...plainTexts(noteFacts()), reading: '## Result\n\n[[evil]] ![x](http://t/) <img src=x>' };
  const text = render(noteFacts({ task: exampleNote({ hypothesis: '---\n## Links\nit' }) }), texts);
  expect(text.match(/^## Result$/gm)).toHaveLength(1);
  expect(text.match(/^## Links$/gm)).toHaveLength(1);
  expect(text).not.toMatch(/\[\[evil|!\[x|<img/);
});
