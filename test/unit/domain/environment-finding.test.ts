import { readFile } from 'node:fs/promises';

import { describe, expect, it } from 'vitest';

import {
  describeFindings,
  environmentFinding,
  environmentFindings,
  isRefused,
} from '../../../domain/environment-finding.ts';

const page = await readFile(new URL('../../../docs/environments.md', import.meta.url), 'utf8');
const rows = new Map(
  page
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(([, code]) => /^`[a-z]+-[a-z-]+`$/.test(code ?? ''))
    .map(([, code, ...cells]) => [(code ?? '').slice(1, -1), cells]),
);

describe('docs/environments.md', () => {
  it.each(Object.entries(environmentFindings))('has a row for %s', (code, { weight, cure }) => {
    const [shownWeight, what, effect, shownCure] = rows.get(code) ?? [];
    expect([shownWeight, shownCure]).toEqual([weight, cure]);
    expect([what, effect]).toEqual([expect.stringMatching(/\w/), expect.stringMatching(/\w/)]);
  });

  it('tells of no code that does not exist', () => {
    expect([...rows.keys()].toSorted()).toEqual(Object.keys(environmentFindings).toSorted());
  });
});

describe('findings', () => {
  it('refuse or are told, by their code', () => {
    expect(isRefused(environmentFinding('hard-link', 'a', 'a is a hard link.'))).toBe(true);
    expect(isRefused(environmentFinding('leftover-cache', 'a', 'a is left over.'))).toBe(false);
  });

  it('are described by code, sentence and cure, and counted beyond fifty', () => {
    const one = environmentFinding('hard-link', 'a', 'a is a hard link.');
    expect(describeFindings([one])).toBe(`- [hard-link] a is a hard link. ${one.cure}`);
    const lines = describeFindings(Array.from({ length: 53 }, () => one)).split('\n');
    expect(lines).toHaveLength(51);
    expect(lines.at(-1)).toBe('- and 3 more');
  });
});
