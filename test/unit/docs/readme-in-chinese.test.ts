import { readFile } from 'node:fs/promises';

import { expect, it } from 'vitest';

const root = new URL('../../../', import.meta.url);
const [english, chinese] = await Promise.all([read('README.md'), read('README.zh.md')]);

it('has the same headings, each on the same level', () => {
  expect(levels(chinese)).toEqual(levels(english));
  expect(levels(english).length).toBeGreaterThan(6);
});

it('names the same commands, options and messages', () => {
  expect(codes(chinese)).toEqual(codes(english));
});

it('has the same blocks of commands', () => {
  expect(commands(chinese)).toEqual(commands(english));
  expect(commands(english).length).toBeGreaterThan(1);
});

it('links to the same pages and shows the same pictures', () => {
  const toEachOther = /README(?:\.zh)?\.md/;
  const links = (text: string): string[] =>
    [...text.matchAll(/\]\(([^)]+)\)/g)]
      .map(([, link]) => link ?? '')
      .filter((link) => !toEachOther.test(link));
  expect(links(chinese).toSorted()).toEqual(links(english).toSorted());
});

it('has as many rows in its tables', () => {
  expect(rows(chinese)).toBe(rows(english));
});

function rows(text: string): number {
  return text.split('\n').filter((line) => line.startsWith('|')).length;
}

function read(name: string): Promise<string> {
  return readFile(new URL(name, root), 'utf8');
}

function levels(text: string): string[] {
  return [...withoutBlocks(text).matchAll(/^(#+) /gm)].map(([, level]) => level ?? '');
}

/** Every piece of code inside a line; the order may differ, since the order of words does. */
function codes(text: string): string[] {
  return [...withoutBlocks(text).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code ?? '').toSorted();
}

/** What stands in blocks for the shell, without the comments. */
function commands(text: string): string[] {
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.replace(/\s+#.*$/, '')])),
  );
}

function withoutBlocks(text: string): string {
  return text.replaceAll(/```[\s\S]*?```/g, '');
}
