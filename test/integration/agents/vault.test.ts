import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { execa } from 'execa';
import { expect, test } from 'vitest';

import { createNotesActivities } from '../../../activities/notes/create-notes-activities.ts';
import type { WrittenNote } from '../../../activities/notes/interface.ts';
import type { NotesDeps } from '../../../activities/notes/notes-deps.ts';
import type { NoteFacts } from '../../../domain/note.ts';
import { processEnvironment } from '../../../infra/env.ts';
import { exampleNote } from '../../support/example-note.ts';
import { findDeadLinks } from '../../../infra/lab/vault/find-dead-links.ts';
import { noteFacts } from '../../support/note-facts.ts';
import { runActivity, temporaryFolder } from './models.ts';

async function machine(vault: string): Promise<NotesDeps> {
  return {
    vault,
    gemini: { apiKey: '', model: undefined, baseUrl: undefined },
    limits: { maxTokens: Infinity },
    tools: { gemini: ['false'] },
    scratchDir: join(await temporaryFolder(), 'scratch'),
    environment: { ...processEnvironment(), HOME: '/nonexistent' },
  };
}

function factsOf(id: string, overrides: Partial<NoteFacts> = {}): NoteFacts {
  const task = exampleNote({ id, title: `Warm-up ${id} lowers the loss`, baseline: null });
  return noteFacts({ experimentId: id, task, ...overrides });
}

function write(deps: NotesDeps, facts: NoteFacts): Promise<WrittenNote> {
  return runActivity(() => createNotesActivities(deps).writeNote(facts));
}

async function git(cwd: string, ...args: string[]): Promise<string> {
  return (await execa('git', args, { cwd })).stdout;
}

async function bareRemote(): Promise<string> {
  const folder = await temporaryFolder();
  const remote = join(folder, 'notes.git');
  await git(folder, 'init', '--quiet', '--bare', '--initial-branch=main', remote);
  return remote;
}

test('twenty notes that land at once are all in, none twice, and the index holds each', async () => {
  const remote = await bareRemote();
  const machines = await Promise.all([1, 2, 3, 4].map(() => machine(`file://${remote}`)));
  const ids = Array.from({ length: 20 }, (_, index) => `at-once-${String(index).padStart(2, '0')}`);
  const notes = await Promise.all(
    ids.map((id, index) => {
      const deps = machines[index % machines.length];
      if (deps === undefined) throw new Error('there is a machine for each');
      const startedAt = `2026-11-24T16:54:${String(index).padStart(2, '0')}Z`;
      return write(deps, factsOf(id, { startedAt }));
    }),
  );
  const files = (await git(remote, 'ls-tree', '-r', '--name-only', 'main')).split('\n');
  expect(files.toSorted()).toEqual([...notes.map(({ path }) => path), 'experiments.md'].toSorted());
  const index = await git(remote, 'show', 'main:experiments.md');
  const rows = index.split('\n').filter((line) => line.startsWith('| 2026'));
  expect(rows).toHaveLength(20);
  for (const { path } of notes) expect(rows.filter((row) => row.includes(`](${path})`))).toHaveLength(1);
  expect(await git(remote, 'grep', '-c', '-e', '<<<<<<<', 'main').catch(() => '')).toBe('');
  const check = await temporaryFolder();
  await git(check, 'clone', '--quiet', remote, 'vault');
  expect(await findDeadLinks(join(check, 'vault'))).toEqual([]);
}, 600_000);

test('what a person writes around the generated parts survives notes that land elsewhere', async () => {
  const remote = await bareRemote();
  const one = await machine(`file://${remote}`);
  await write(one, factsOf('first-note'));
  const folder = await temporaryFolder();
  await git(folder, 'clone', '--quiet', remote, 'vault');
  const vault = join(folder, 'vault');
  const own = await machine(vault);
  const page = join(vault, 'experiments.md');
  await writeFile(page, (await readFile(page, 'utf8')).replace('# Experiments', '# Experiments of our lab'));
  await write(one, factsOf('second-note', { startedAt: '2026-11-25T00:00:00Z' }));
  await git(vault, '-c', 'user.name=p', '-c', 'user.email=p@x', 'commit', '--quiet', '-am', 'Name the page');
  await write(own, factsOf('third-note', { startedAt: '2026-11-26T00:00:00Z' }));
  const index = await git(remote, 'show', 'main:experiments.md');
  expect(index).toContain('# Experiments of our lab');
  for (const id of ['first-note', 'second-note', 'third-note']) expect(index).toContain(`-${id}.md)`);
}, 300_000);

test('words of two people that contradict each other are left to people, and the note is kept', async () => {
  const remote = await bareRemote();
  const one = await machine(`file://${remote}`);
  const { path } = await write(one, factsOf('argued-note'));
  const folder = await temporaryFolder();
  const person = ['-c', 'user.name=p', '-c', 'user.email=p@x'];
  const edit = async (vault: string, words: string): Promise<void> => {
    const file = join(vault, path);
    await writeFile(file, (await readFile(file, 'utf8')).replace('## Next', words));
    await git(vault, ...person, 'commit', '--quiet', '-am', words);
  };
  for (const name of ['a', 'b']) await git(folder, 'clone', '--quiet', remote, name);
  await edit(join(folder, 'a'), '## Next, says A');
  await git(join(folder, 'a'), 'push', '--quiet');
  await edit(join(folder, 'b'), '## Next, says B');
  const own = await machine(join(folder, 'b'));
  const facts = factsOf('later-note', { startedAt: '2026-11-25T00:00:00Z' });
  await expect(write(own, facts)).rejects.toMatchObject({ type: 'VaultConflict', nonRetryable: false });
  expect(await git(join(folder, 'b'), 'status', '--porcelain')).toBe('');
  // The person settles it, and the same note goes through.
  await git(join(folder, 'b'), ...person, 'pull', '--quiet', '--no-rebase', '-X', 'ours');
  await write(own, facts);
  expect(await git(remote, 'show', `main:${path}`)).toContain('says B');
  expect(await git(remote, 'ls-tree', '--name-only', 'main')).toContain('later-note');
}, 300_000);

test('a title with slashes and emoji, remarks, and an earlier note that is near', async () => {
  const folder = await temporaryFolder();
  const deps = await machine(join(folder, 'vault'));
  await write(deps, factsOf('near-one', { startedAt: '2026-11-01T00:00:00Z' }));
  const task = exampleNote({ id: 'odd-title', title: '../../🚀 Warm-up [x](y) | lowers', baseline: null });
  const remarks = [
    {
      by: 'pi',
      at: '2026-11-24T16:00:00Z',
      question: 'Why?',
      answer: 'See [[nowhere]] and ## 99 %.',
      answeredBy: 'Gemini CLI (m)',
    },
  ];
  const note = await write(deps, noteFacts({ experimentId: 'odd-title', task, remarks }));
  expect((await readdir(deps.vault)).filter((name) => name.endsWith('.md'))).toHaveLength(3);
  const text = await readFile(join(deps.vault, note.path), 'utf8');
  expect(text).toMatch(/> \*\*pi\*\* asked, .*: Why\?/);
  expect(text).toContain('**Gemini CLI (m)** answered: See');
  expect(text).toMatch(/\]\(20261101000000-near-one\.md\): the same metric, about .*warm/);
  expect(await findDeadLinks(deps.vault)).toEqual([]);
}, 300_000);
