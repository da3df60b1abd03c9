import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { ClientError } from '../../../client/client-error.ts';
import { formatTaskNote } from '../../../domain/task-note-text.ts';
import type { PlanRequest } from '../../../workflows/plan-workflow.ts';
import { exampleNote } from '../../support/example-note.ts';
import { runIn } from './run-in.ts';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'cli-plan-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

function planning(asked: PlanRequest[] = []) {
  return {
    plan: async (request: PlanRequest) => {
      asked.push(request);
      return { note: exampleNote({ id: request.id }), body: '## Why\n', tokens: 7, problems: [] };
    },
  };
}

test('plan writes the note, names what can be done next, and never writes over a file', async () => {
  const cwd = await folder();
  const asked: PlanRequest[] = [];
  const args = ['plan', 'A warm-up!', '--repo', 'lab/digits'];
  const ran = await runIn(args, { cwd, calls: planning(asked) });
  expect(ran).toMatchObject({ code: 0, err: '' });
  expect(ran.out).toContain('start');
  expect(await readFile(join(cwd, 'a-warm-up.md'), 'utf8')).toContain('id: a-warm-up');
  expect(asked).toMatchObject([{ kind: 'write', id: 'a-warm-up', idea: 'A warm-up!', previous: null }]);
  const again = await runIn(args, { cwd, calls: planning() });
  expect(again).toMatchObject({ code: 2, err: expect.stringContaining('--refine') as string });
});

test('plan --refine goes on with the note as it is, --check only looks at it', async () => {
  const cwd = await folder();
  await writeFile(
    join(cwd, 'n.md'),
    formatTaskNote({ note: exampleNote({ id: 'mine' }), body: 'By hand.\n' }),
  );
  const asked: PlanRequest[] = [];
  const refined = await runIn(['plan', '--refine', 'fewer seeds', '--out', 'n.md', '--json'], {
    cwd,
    calls: planning(asked),
  });
  expect(refined.code).toBe(0);
  expect(JSON.parse(refined.out)).toMatchObject({ file: join(cwd, 'n.md'), note: { id: 'mine' } });
  expect(asked[0]).toMatchObject({ id: 'mine', previous: { words: 'fewer seeds', body: 'By hand.\n' } });
  const problems = [{ path: 'job.command', value: '"x.py"', expected: 'a file' }];
  const calls = { plan: async () => ({ note: exampleNote(), body: '', tokens: 0, problems }) };
  const checked = await runIn(['plan', '--check', 'n.md'], { cwd, calls });
  expect(checked).toMatchObject({ code: 1, out: expect.stringContaining('job.command: a file') as string });
});

test('without a model there is a template, and the way to it is told', async () => {
  const cwd = await folder();
  const away = { plan: () => Promise.reject(new ClientError('unreachable', 'AgentUnavailable: it is down')) };
  const failed = await runIn(['plan', 'An idea', '--repo', 'lab/digits'], { cwd, calls: away });
  expect(failed).toMatchObject({ code: 5, err: expect.stringContaining('--template') as string });
  const template = await runIn(['plan', 'An idea', '--repo', 'lab/digits', '--template'], { cwd });
  expect(template.code).toBe(0);
  expect(await readFile(join(cwd, 'an-idea.md'), 'utf8')).toContain('repository: lab/digits');
  const check = await runIn(['plan', '--check', 'an-idea.md'], { cwd });
  expect(check).toMatchObject({ code: 2, err: expect.stringContaining('metric.goal') as string });
});

test('notes are searched and told in a table, from the vault alone', async () => {
  const cwd = await folder();
  const vault = join(cwd, 'vault');
  await mkdir(vault);
  await writeFile(join(vault, '20260101000000-worse.md'), noteText('worse', 0.3, 'worse'));
  await writeFile(join(vault, '20260102000000-best.md'), noteText('best', 0.1, 'better'));
  const env = { HEPHAESTUS_VAULT: vault, HEPHAESTUS_HOME: join(cwd, 'home') };
  const found = await runIn(['notes', 'search', 'warm-up', '--json'], { cwd, env });
  expect(found.code).toBe(0);
  expect((JSON.parse(found.out) as { notes: { id: string }[] }).notes.map(({ id }) => id).toSorted()).toEqual(
    ['best', 'worse'],
  );
  const rows = await runIn(['notes', 'table', '--metric', 'val/loss'], { cwd, env });
  expect(rows.out.indexOf('best')).toBeLessThan(rows.out.indexOf('worse'));
  expect(rows.out).toContain('1.5');
  expect((await runIn(['notes', 'table', '--status', 'stopped'], { cwd, env })).out).toContain(
    'No such experiment',
  );
  expect(await runIn(['notes', 'search', 'x', '--limit', 'many'], { cwd, env })).toMatchObject({ code: 2 });
});

test('discuss needs a question where there is no terminal', async () => {
  const ran = await runIn(['discuss', 'warmup'], {
    cwd: await folder(),
    env: { GEMINI_API_KEY: 'key' },
    calls: {
      material: () => Promise.reject(new ClientError('not-found', 'There is no experiment "warmup".')),
    },
  });
  expect(ran).toMatchObject({ code: 3, err: expect.stringContaining('no experiment') as string });
});

function noteText(id: string, value: number, verdict: string): string {
  return `---\nid: "${id}"\ntitle: Title of ${id}\ntype: experiment\ndate: 2026-01-02\nstatus: merged\nmetric: val/loss\nvalue: ${value}\ndelta: ${value - 0.2}\ngpu_hours: 1.5\ntags: [verdict/${verdict}]\n---\n\n# T\n\n## Claim\n\nWarm-up.\n`;
}
