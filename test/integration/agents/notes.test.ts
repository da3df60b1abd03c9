import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { execa } from 'execa';
import { expect, inject, test } from 'vitest';

import { createNotesActivities } from '../../../activities/notes/create-notes-activities.ts';
import type { WrittenNote } from '../../../activities/notes/interface.ts';
import type { NotesDeps } from '../../../activities/notes/notes-deps.ts';
import type { NoteFacts } from '../../../domain/note.ts';
import { processEnvironment } from '../../../infra/env.ts';
import type { ModelsScript } from '../../../infra/lab/models/script.ts';
import { exampleNote } from '../../support/example-note.ts';
import { noteFacts } from '../../support/note-facts.ts';
import { geminiSettings, runActivity, startModels, temporaryFolder } from './models.ts';

async function depsWith(
  script: Partial<ModelsScript> = {},
  overrides: Partial<NotesDeps> = {},
): Promise<NotesDeps> {
  const folder = await temporaryFolder();
  return {
    vault: join(folder, 'vault'),
    gemini: geminiSettings(await startModels(script)),
    limits: { maxTokens: Infinity },
    tools: inject('tools'),
    scratchDir: join(folder, 'scratch'),
    environment: processEnvironment(),
    ...overrides,
  };
}

function writeNote(deps: NotesDeps, facts: NoteFacts): Promise<WrittenNote> {
  return runActivity(() => createNotesActivities(deps).writeNote(facts));
}

function factsOf(id: string): NoteFacts {
  return noteFacts({ experimentId: id, task: exampleNote({ id, baseline: null }) });
}

const noModel = { gemini: { apiKey: '', model: undefined, baseUrl: undefined } };
const words = { reading: 'So it is.', limits: 'Few seeds.', next: 'More seeds.' };

async function git(cwd: string, ...args: string[]): Promise<string> {
  return (await execa('git', args, { cwd })).stdout;
}

test('an invented number goes back to the model, and the mended text is taken', async () => {
  const claims = ['It is lower by 71 %.', 'It is lower by 51 %.'];
  const deps = await depsWith({ note: ({ turn }) => JSON.stringify({ ...words, claim: claims[turn] }) });
  const note = await writeNote(deps, noteFacts());
  const text = await readFile(join(deps.vault, note.path), 'utf8');
  expect(text).toContain('It is lower by 51 %.');
  expect(text).not.toContain('71 %');
  expect(text).toContain('written by Gemini CLI');
  expect(note.tokens).toBeGreaterThan(0);
});

test('a model that means nothing is given up, and the note says so', async () => {
  const deps = await depsWith({ note: () => 'Colourless green ideas {"' });
  const note = await writeNote(deps, noteFacts());
  const text = await readFile(join(deps.vault, note.path), 'utf8');
  expect(text).toMatch(/written without a model: .*in 3 tries/);
  expect(text).not.toContain('Colourless');
});

test('a model that is down costs no note', async () => {
  const settings = { apiKey: 'key', model: undefined, baseUrl: 'http://127.0.0.1:9' };
  const deps = await depsWith({}, { gemini: settings });
  const note = await writeNote(deps, noteFacts());
  expect(await readFile(join(deps.vault, note.path), 'utf8')).toContain('AgentUnavailable');
});

test('a repeat finds the file, keeps what a person wrote in it, and makes no second commit', async () => {
  const deps = await depsWith({}, noModel);
  const activities = createNotesActivities(deps);
  const first = await runActivity(() => activities.writeNote(noteFacts()));
  expect(await runActivity(() => activities.writeNote(noteFacts()))).toEqual(first);
  const file = join(deps.vault, first.path);
  await writeFile(file, `${await readFile(file, 'utf8')}\nThe PI thinks: surprising.\n`);
  const again = await runActivity(() => activities.writeNote(noteFacts()));
  expect(await readFile(file, 'utf8')).toContain('surprising');
  expect(again.commit).not.toBe(first.commit);
  // The note with its index, then the person's words.
  expect(await git(deps.vault, 'rev-list', '--count', 'HEAD')).toBe('2');
});

test('only its own file and what it changes is committed, also beside work that a person has begun', async () => {
  const deps = await depsWith({}, noModel);
  const activities = createNotesActivities(deps);
  await runActivity(() =>
    activities.writeNote(noteFacts({ experimentId: 'first-baseline', startedAt: '2026-11-01T00:00:00Z' })),
  );
  await writeFile(join(deps.vault, 'mine.md'), 'half a thought');
  await git(deps.vault, 'add', 'mine.md');
  const note = await runActivity(() => activities.writeNote(noteFacts()));
  const parent = '20261101000000-first-baseline.md';
  expect((await git(deps.vault, 'show', '--name-only', '--format=', 'HEAD')).split('\n')).toEqual([
    parent,
    note.path,
    'experiments.md',
  ]);
  expect(await readFile(join(deps.vault, parent), 'utf8')).toContain(`](${note.path}): links here`);
  expect(await git(deps.vault, 'status', '--porcelain')).toBe('A  mine.md');
  expect(await readFile(join(deps.vault, note.path), 'utf8')).toContain(
    `](${parent}): the baseline that this was compared with`,
  );
});

test('what a try had written before it died is committed by the next, the index and the links back as well', async () => {
  const deps = await depsWith({}, noModel);
  await writeNote(deps, noteFacts({ experimentId: 'first-baseline', startedAt: '2026-11-01T00:00:00Z' }));
  const note = await writeNote(deps, noteFacts());
  await writeFile(join(deps.vault, 'mine.md'), 'half a thought');
  // As it is when the machine stops before the commit.
  await git(deps.vault, 'reset', '--quiet', 'HEAD~1');
  expect((await git(deps.vault, 'status', '--porcelain')).split('\n')).toHaveLength(4);
  expect((await writeNote(deps, noteFacts())).path).toBe(note.path);
  expect(await git(deps.vault, 'status', '--porcelain')).toBe('?? mine.md');
});

test('two notes at once, into a remote that somebody else pushed to', async () => {
  const folder = await temporaryFolder();
  const remote = join(folder, 'notes.git');
  await git(folder, 'init', '--quiet', '--bare', '--initial-branch=main', remote);
  const vault = `file://${remote}`;
  // Two machines: a scratch folder, and so a clone, each.
  const one = await depsWith({}, { ...noModel, vault });
  const two = await depsWith({}, { ...noModel, vault });
  const notes = await Promise.all([
    writeNote(one, factsOf('note-one')),
    writeNote(one, factsOf('note-two')),
    writeNote(two, factsOf('note-three')),
  ]);
  const files = await git(remote, 'ls-tree', '--name-only', 'main');
  expect(files.split('\n').toSorted()).toEqual(
    [...notes.map(({ path }) => path), 'experiments.md'].toSorted(),
  );
  for (const { commit } of notes) await git(remote, 'merge-base', '--is-ancestor', commit ?? '', 'main');
});

test('a folder that is no repository gets the file and no commit; one that cannot be made is named', async () => {
  const vault = await temporaryFolder();
  const note = await writeNote(await depsWith({}, { ...noModel, vault }), noteFacts());
  expect(note.commit).toBeNull();
  expect(await readdir(vault)).toEqual([note.path, 'experiments.md']);
  const broken = await depsWith({}, { ...noModel, vault: join(vault, note.path, 'vault') });
  await expect(writeNote(broken, noteFacts())).rejects.toMatchObject({
    type: 'VaultUnavailable',
    message: expect.stringContaining('HEPHAESTUS_VAULT') as string,
  });
});
