import { expect, test } from 'vitest';

import { noteTemplate } from '../../../../activities/planning/note-template.ts';
import { Resources } from '../../../../activities/planning/resources.ts';
import { type PlanFacts, senseProblems } from '../../../../activities/planning/sense-problems.ts';
import { readNote } from '../../../../activities/notes/catalogued-note.ts';
import { parseTaskNote } from '../../../../domain/task-note-text.ts';
import type { TaskNote } from '../../../../domain/task-note.ts';
import { exampleNote } from '../../../support/example-note.ts';

const files = ['train.py', 'uv.lock', 'README.md', 'configs/base.yaml'];
const facts: PlanFacts = {
  description: { baseSha: 'a', files, readme: '' },
  baseline: { name: 'first-baseline', runs: 3, metrics: ['train/loss', 'val/loss'] },
  baselineNote: readNote(
    'x.md',
    '---\ntype: experiment\nmetric: val/loss\nseeds: [0, 1]\ngpu_hours: 2\n---\n',
  ),
  resources: null,
};
const { job } = exampleNote();

function problems(
  overrides: Partial<TaskNote>,
  around: Partial<PlanFacts> = {},
  body = '## Why\n',
): string[] {
  const found = senseProblems({ note: exampleNote(overrides), body }, { ...facts, ...around });
  return found.map(({ path, expected }) => `${path}: ${expected}`);
}

test('a note that makes sense has no problem', () => {
  expect(problems({})).toEqual([]);
  expect(
    problems({ job: { ...job, command: 'python train.py --config=configs/new.yaml --seed {seed}' } }),
  ).toEqual([]);
});

test.each<[string, Partial<TaskNote>, RegExp]>([
  [
    'a script',
    { job: { ...job, command: 'python src/main.py {seed}' } },
    /job\.command: a file of the repository/,
  ],
  [
    'a configuration',
    { change: { paths: ['train.py'] }, job: { ...job, command: 'python train.py -c configs/x.yaml {seed}' } },
    /job\.command/,
  ],
  ['a lock', { environment: { ...exampleNote().environment, lock: 'x.lock' } }, /environment\.lock/],
  ['files to change', { change: { paths: ['model/**'] } }, /change\.paths/],
  ['a metric', { metric: { name: 'val/los', goal: 'minimize' } }, /metric\.name: .*train\/loss, val\/loss/],
  ['hours', { budget: { gpu_hours: 1.5, attempts: 1 } }, /at least 2: the baseline took 1 GPU hours/],
])('names what is not there: %s', (_name, overrides, expected) => {
  expect(problems(overrides).join('\n')).toMatch(expected);
});

test('of a repository that was not seen whole nothing is said', () => {
  const many = Array.from({ length: 500 }, (_, index) => `file-${index}`);
  expect(problems({}, { description: { ...facts.description, files: many } })).toEqual([]);
});

test('resources are held against the list that a person keeps', () => {
  const resources = Resources.parse({
    groups: [
      {
        name: 'H100',
        workspace_id: job.workspace_id,
        project_id: job.project_id,
        logic_compute_group_id: job.logic_compute_group_id,
        specs: [{ spec_id: job.spec_id, gpus: 8 }],
        images: [job.image],
      },
    ],
  });
  expect(problems({}, { resources })).toEqual([]);
  const wrong = { ...job, spec_id: 'other', image: 'other', workspace_id: 'ws-other' };
  expect(problems({ job: wrong }, { resources }).map((line) => line.split(':', 1)[0])).toEqual([
    'job.workspace_id',
    'job.spec_id',
    'job.image',
  ]);
  const elsewhere = { ...job, logic_compute_group_id: 'lcg-x' };
  expect(problems({ job: elsewhere }, { resources }).join()).toMatch(/one of lcg-.* \(H100\)/);
});

test('a note has one front matter', () => {
  expect(problems({}, {}, '---\nid: x\njob: {}\n---\n').join()).toMatch(/one front matter/);
  expect(problems({}, {}, 'above\n\n---\n\nbelow\n')).toEqual([]);
});

test('a template that was not filled in is no valid note', () => {
  const text = noteTemplate({
    id: 'by-hand',
    idea: 'A "warm-up": 🚀',
    repository: 'lab/digits',
    base: 'main',
  });
  const result = parseTaskNote(text);
  expect(result.status).toBe('invalid');
  const paths = result.status === 'invalid' ? result.problems.map(({ path }) => path) : [];
  expect(paths).toEqual(expect.arrayContaining(['environment.python', 'job.workspace_id', 'metric.goal']));
});
