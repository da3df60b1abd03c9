import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { createCatalogueReader } from '../../../../activities/notes/catalogue.ts';
import { readNote } from '../../../../activities/notes/catalogued-note.ts';
import { block, replaceBlock, withoutBlocks } from '../../../../activities/notes/generated-block.ts';
import { renderIndex } from '../../../../activities/notes/index-page.ts';
import { nearNotes } from '../../../../activities/notes/near-notes.ts';
import { searchWords } from '../../../../activities/notes/search-words.ts';

async function vaultWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hephaestus-vault-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

function experiment(id: string, title: string, more = ''): string {
  return `---\nid: "${id}"\ntitle: ${JSON.stringify(title)}\ntype: experiment\ndate: 2026-01-02T03:04:05Z\nstatus: merged\nmetric: val/loss\nvalue: 0.1\ntags: [experiment, verdict/better]\n${more}---\n\n# ${title}\n\n## Claim\n\nIt is ${title}.\n\n## Links\n`;
}

test('finds notes by their words, in Chinese too, and sees what changed since', async () => {
  const folder = await vaultWith({
    '20260101000000-warmup.md': experiment('warmup', 'Warm-up lowers the loss'),
    '20260102000000-zh.md': experiment('zh', '余弦学习率降低验证损失'),
    'own/thoughts.md': '# Label smoothing\n\nA thought about smoothing.\n',
    '.obsidian/workspace.md': '# warm-up settings\n',
  });
  const cache = join(folder, '.cache.json');
  const reader = createCatalogueReader(cache);
  const first = await reader.read(folder);
  expect(first.notes).toHaveLength(3);
  expect(first.search('warm-up', 5).map(({ note }) => note.id)).toEqual(['warmup']);
  expect(first.search('学习率', 5).map(({ note }) => note.id)).toEqual(['zh']);
  expect(first.search('smoothing', 5)[0]?.note).toMatchObject({
    path: 'own/thoughts.md',
    isExperiment: false,
  });

  await writeFile(join(folder, '20260103000000-dropout.md'), experiment('dropout', 'Dropout'));
  await rm(join(folder, '20260101000000-warmup.md'));
  for (const again of [await reader.read(folder), await createCatalogueReader(cache).read(folder)]) {
    expect(again.search('dropout', 5)).toHaveLength(1);
    expect(again.search('warm-up', 5)).toEqual([]);
  }
  await writeFile(cache, '{"format":1,"fol');
  expect((await createCatalogueReader(cache).read(folder)).notes).toHaveLength(3);
});

test.each([
  ['no front matter', '# A title\n', { title: 'A title', isExperiment: false }],
  ['nothing', '', { title: 'x' }],
  ['a broken one', '---\ntitle: [\n---\n# B\n', { title: 'B' }],
  [
    'a conflict in it',
    '---\n<<<<<<< HEAD\ntitle: a\n=======\ntitle: b\n>>>>>>> x\n---\n# C\n',
    { title: 'C' },
  ],
  ['an alias that grows', '---\na: &a [1]\nb: &b [*a,*a]\ntitle: D\n---\n', { title: 'D' }],
  [
    'fields of other types',
    '---\ntype: experiment\nid: 42\nvalue: many\nseeds: 3\ntags: one\n---\n',
    { id: '42', value: null, seeds: [], tags: [] },
  ],
])('reads a note with %s', (_name, text, expected) => {
  expect(readNote('x.md', text)).toMatchObject(expected);
});

test('follows links of every kind, and none that Hephaestus made itself', () => {
  const text = `[a](a.md) [b](<b c.md>) [d](../d.md#x) [[e]] [[f|words]] [web](https://x.example/y.md)\n${block('backlinks', '- [g](g.md)')}`;
  expect(readNote('in/x.md', text).links).toEqual(['in/a.md', 'd.md', 'e.md', 'f.md']);
});

test('blocks are replaced, everything around them stays', () => {
  const page = `mine\n\n${block('results', 'old')}\n\nmine too\n`;
  expect(replaceBlock(page, 'results', 'new $1')).toBe(`mine\n\n${block('results', 'new $1')}\n\nmine too\n`);
  expect(replaceBlock('mine', 'results', 'new')).toBeNull();
  expect(withoutBlocks(page)).toBe(withoutBlocks(replaceBlock(page, 'results', 'x') ?? ''));
});

test('the index holds every experiment, by metric and tag, in a table that no title breaks', () => {
  const note = readNote(
    '20260101000000-a.md',
    experiment('a', 'A | B [x](y) 🚀 <b>', 'repository: lab/digits\n'),
  );
  const page = renderIndex(null, [note, readNote('own.md', '# Own\n')]);
  expect(page).toContain('### val/loss');
  expect(page).toContain('### verdict/better');
  const rows = page.split('\n').filter((line) => line.startsWith('| 2026'));
  expect(rows).toHaveLength(1);
  expect(rows[0]?.replaceAll('\\|', '').split('|')).toHaveLength(11);
  expect(page).not.toContain('<b>');
  const edited = page.replace('# Experiments', '# Experiments of the lab');
  expect(renderIndex(edited, [note])).toContain('# Experiments of the lab');
  expect(renderIndex(page, [note])).toBe(page);
});

test('near notes have something in common beside metric and repository, and say what', async () => {
  const folder = await vaultWith({
    '20260101000000-warmup.md': experiment('warmup', 'Linear warm-up of the learning rate'),
    '20260102000000-data.md': experiment('data', 'Cleaner labels'),
  });
  const catalogue = await createCatalogueReader(join(folder, '.cache.json')).read(folder);
  const near = nearNotes(catalogue, {
    text: 'A longer warm-up before the cosine',
    metric: 'val/loss',
    repository: 'lab/digits',
    without: [],
  });
  expect(near.map(({ note, reason }) => [note.id, reason])).toEqual([
    ['warmup', 'the same metric, about warm, up'],
  ]);
});

test('words are taken as people write them', () => {
  expect(searchWords('The Warm-up of 学习率')).toEqual(['warm', 'up', '学习', '习率']);
});
