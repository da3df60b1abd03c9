import { readFile } from 'node:fs/promises';

import { stringify } from 'yaml';
import { describe, expect, it } from 'vitest';

import { formatProblems, formatTaskNote, parseTaskNote } from '../../../domain/task-note-text.ts';
import { TaskNote } from '../../../domain/task-note.ts';
import { taskNoteJsonSchema } from '../../../infra/tools/write-schema.ts';
import { exampleNote } from '../../support/example-note.ts';
import { noteWith } from './note-with.ts';

function parse(note: unknown) {
  return parseTaskNote(`---\n${stringify(note)}---\n## Why\n`);
}

function problemPaths(note: unknown): string[] {
  const result = parse(note);
  return result.status === 'valid' ? [] : result.problems.map(({ path }) => path);
}

describe('a task note', () => {
  it('is read back as it was written', () => {
    const note = TaskNote.parse(exampleNote());
    const body = '## Why\n\nBecause --- of it.\n---\nmore\n';
    expect(parseTaskNote(formatTaskNote({ note, body }))).toEqual({ status: 'valid', note, body });
  });

  it('is read with a byte order mark and with CRLF', () => {
    const text = `\uFEFF---\r\n${stringify(exampleNote()).replaceAll('\n', '\r\n')}---\r\nbody`;
    expect(parseTaskNote(text)).toMatchObject({ status: 'valid', body: 'body' });
  });

  it('fills in every default', () => {
    const note: Record<string, unknown> = { ...exampleNote() };
    for (const key of ['base', 'seeds', 'baseline']) Reflect.deleteProperty(note, key);
    note['environment'] = { python: '3.11', lock: 'uv.lock' };
    note['wandb'] = { project: 'digits' };
    note['budget'] = { gpu_hours: 1 };
    const result = parse(note);
    expect(result).toMatchObject({
      status: 'valid',
      note: {
        base: 'main',
        seeds: [0],
        baseline: null,
        environment: { interpreter: 'managed' },
        wandb: { mode: 'offline' },
        budget: { attempts: 1 },
      },
    });
  });

  it.each<[path: string, value: unknown]>([
    ['schema', 'hephaestus/task/v2'],
    ['schema', undefined],
    ['id', 'Warm-Up'],
    ['id', 'ab'],
    ['id', 'a'.repeat(51)],
    ['id', '-abc'],
    ['id', 'abc-'],
    ['id', '../../etc'],
    ['id', 7],
    ['title', ''],
    ['title', 'x'.repeat(201)],
    ['hypothesis', undefined],
    ['repository', 'digits'],
    ['repository', 'lab/digits/more'],
    ['repository', 'lab/..'],
    ['repository', '../digits'],
    ['repository', 'https://github.com/lab/digits'],
    ['base', ''],
    ['base', '-x'],
    ['base', 'a..b'],
    ['base', 'a b'],
    ['change.paths', []],
    ['change.paths', 'train.py'],
    ['change.paths.0', '/etc/passwd'],
    ['change.paths.0', '../other/train.py'],
    ['change.paths.0', ''],
    ['environment.python', '2.7'],
    ['environment.python', 3.11],
    ['environment.lock', '../uv.lock'],
    ['environment.interpreter', 'python3'],
    ['job.command', 'python a.py\u0000 {seed}'],
    ['job.image', ''],
    ['job.image_type', 'PUBLIC'],
    ['job.workspace_id', 'workspace'],
    ['job.project_id', 'p-1'],
    ['job.logic_compute_group_id', '1'],
    ['job.spec_id', ''],
    ['job.instance_count', 0],
    ['job.instance_count', 1.5],
    ['job.shm_gi', -1],
    ['job.priority', 0],
    ['job.priority', 11],
    ['job.max_hours', 0],
    ['job.max_hours', '12'],
    ['job.max_hours', Number.POSITIVE_INFINITY],
    ['seeds', []],
    ['seeds', [0, 0]],
    ['seeds', Array.from({ length: 33 }, (_, index) => index)],
    ['seeds.0', -1],
    ['seeds.0', 1.5],
    ['wandb.mode', 'online'],
    ['wandb.project', 'a/b'],
    ['wandb.entity', ''],
    ['wandb.group', ''],
    ['metric.name', ''],
    ['metric.goal', 'min'],
    ['budget.gpu_hours', 0],
    ['budget.gpu_hours', Number.NaN],
    ['budget.attempts', 0],
  ])('is refused for %s = %j, and says so', (path, value) => {
    expect(problemPaths(noteWith(path, value))).toEqual([path]);
  });

  it.each([{}, { experiment: 'X' }, { run: 'entity/project' }, { experiment: 'abc', run: 'a/b/c' }, 'abc'])(
    'is refused for the baseline %j',
    (baseline) => {
      expect(problemPaths(noteWith('baseline', baseline))[0]).toMatch(/^baseline/);
    },
  );

  it.each(['environment', 'job', 'change', 'wandb', 'metric', 'budget'])(
    'is refused for an unknown key in %s, named',
    (section) => {
      expect(problemPaths(noteWith(`${section}.extra`, 1))).toEqual([`${section}.extra`]);
    },
  );

  it('is refused for an empty command', () => {
    expect(problemPaths({ ...noteWith('job.command', ''), seeds: [0] })).toEqual(['job.command']);
  });

  it('needs exactly one of a lock and requirements', () => {
    expect(problemPaths(noteWith('environment.requirements', 'requirements.txt'))).toEqual([
      'environment.lock',
    ]);
    expect(problemPaths(noteWith('environment.lock', undefined))).toEqual(['environment.lock']);
  });

  it('needs {seed} or HEPHAESTUS_SEED in the command for several seeds', () => {
    expect(problemPaths(noteWith('job.command', 'python train.py'))).toEqual(['job.command']);
    expect(problemPaths(noteWith('job.command', 'python train.py --seed $HEPHAESTUS_SEED'))).toEqual([]);
    expect(problemPaths({ ...noteWith('job.command', 'python train.py'), seeds: [3] })).toEqual([]);
  });

  it('tells every problem at once, with what was found and what was expected', () => {
    const note = noteWith('job.priority', 99);
    note['id'] = 'X';
    const result = parse(note);
    if (result.status === 'valid') expect.unreachable();
    expect(result.problems.map(({ path }) => path)).toEqual(['id', 'job.priority']);
    expect(formatProblems(result.problems)).toMatch(
      /^id: must match .* \(found "X"\)\njob\.priority: .* \(found 99\)$/,
    );
  });
});

describe('the text of a task note', () => {
  const yaml = stringify(exampleNote());

  it.each([
    ['nothing', ''],
    ['no front matter', '# A title\n'],
    ['front matter that does not end', `---\n${yaml}`],
    ['a list instead of fields', '---\n- a\n---\n'],
    ['a word', '---\nword\n---\n'],
    ['YAML that cannot be read', '---\na: [1, 2\n---\n'],
    ['a key twice', `---\n${yaml}id: other-id\n---\n`],
    ['an alias of nothing', `---\n${yaml}extra: *nothing\n---\n`],
    ['a prototype', `---\n${yaml}__proto__: { polluted: true }\n---\n`],
    ['a ring of aliases', `---\n${stringify({ ...exampleNote(), title: undefined })}title: &a [*a]\n---\n`],
    ['an unknown tag', `---\n${yaml}extra: !!js/function "x"\n---\n`],
  ])('is refused without throwing: %s', (_what, text) => {
    const result = parseTaskNote(text);
    expect(result.status).toBe('invalid');
    expect(result).toMatchObject({ problems: expect.arrayContaining([expect.anything()]) as unknown });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('does not fall for an alias bomb', () => {
    const levels = Array.from({ length: 12 }, (_, level) =>
      level === 0
        ? 'a0: &a0 [x,x,x,x,x,x,x,x,x]'
        : `a${level}: &a${level} [${Array(9)
            .fill(`*a${level - 1}`)
            .join(',')}]`,
    );
    const started = performance.now();
    expect(parseTaskNote(`---\n${levels.join('\n')}\n---\n`).status).toBe('invalid');
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('does not choke on a huge or deep one', () => {
    const started = performance.now();
    expect(parseTaskNote(`---\nid: ${'x'.repeat(5_000_000)}\n---\n`).status).toBe('invalid');
    expect(parseTaskNote(`---\nid: ${'['.repeat(20_000)}\n---\n`).status).toBe('invalid');
    expect(parseTaskNote('---\n'.repeat(200_000)).status).toBe('invalid');
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe('the published JSON Schema', () => {
  it('is the one that the definition gives; `npm run schema` writes it', async () => {
    const path = new URL('../../../docs/task-note.schema.json', import.meta.url);
    expect(await readFile(path, 'utf8')).toBe(taskNoteJsonSchema());
  });

  it('asks a person only for what has no default', () => {
    const { required } = JSON.parse(taskNoteJsonSchema()) as { required: string[] };
    expect(required).toContain('hypothesis');
    expect(required).not.toContain('seeds');
  });
});
