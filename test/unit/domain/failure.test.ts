import { readFile } from 'node:fs/promises';

import { describe, expect, it } from 'vitest';

import { failureTypes, isFailureType } from '../../../domain/failure.ts';

const page = await readFile(new URL('../../../docs/failures.md', import.meta.url), 'utf8');
const sections = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((text) => [text.slice(0, text.indexOf('\n')), text]),
);

describe('docs/failures.md', () => {
  it.each(Object.entries(failureTypes))('tells cause and cure of %s, which is %s', (type, kind) => {
    const section = sections.get(type) ?? '';
    expect(section).toContain(kind === 'retry' ? '*retried*' : '*final*');
    for (const part of ['Cause', 'Hephaestus', 'You'])
      expect(section).toMatch(new RegExp(`\\*\\*${part}\\*\\*: \\S`));
  });

  it('tells of no failure that does not exist', () => {
    expect([...sections.keys()].filter((type) => !isFailureType(type))).toEqual([]);
  });
});

describe('isFailureType', () => {
  it.each(['toString', '__proto__', '', 'jobfailed', undefined, 7])('does not know %j', (value) => {
    expect(isFailureType(value)).toBe(false);
  });
});
