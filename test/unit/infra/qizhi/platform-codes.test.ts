import { readFile } from 'node:fs/promises';

import { describe, expect, it } from 'vitest';

import { meaningOf, otherCode, platformCodes } from '../../../../infra/qizhi/platform-codes.ts';

const page = await readFile(new URL('../../../../docs/failures.md', import.meta.url), 'utf8');
const section = page.slice(page.indexOf('\n## Qizhi\n')).split('\n## ')[1] ?? '';
const rows = section
  .split('\n')
  .filter((line) => /^\| (?:`[^`]+`|any other) \|/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
  .map(([, code = '', , create, job, list]) => ({ code, create, job, list }));

function sorted(all: readonly { readonly code: string }[]) {
  return all.toSorted((one, other) => one.code.localeCompare(other.code));
}

describe('the table of codes in docs/failures.md', () => {
  it('says of every code what the client does, and of no other', () => {
    const expected = Object.entries(platformCodes).map(([code, { create, job, list }]) => {
      return { code, create, job, list };
    });
    const { create, job, list } = otherCode;
    expect(sorted(rows)).toEqual(sorted([...expected, { code: 'any other', create, job, list }]));
  });
});

describe('meaningOf', () => {
  it.each(['constructor', '__proto__', '', '424242'])('does not know %j', (code) => {
    expect(meaningOf(code)).toBe(otherCode);
  });

  it('never takes what may be a fault of ours for a job that does not exist', () => {
    const gone = Object.entries(platformCodes).filter(([, { job }]) => job === 'JobNotFound');
    expect(gone.map(([code]) => code).toSorted()).toEqual([
      '100002',
      '100004',
      'AccessForbidden',
      'ResourceNotFound',
    ]);
  });
});
