import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { diskFailure, toDiskFailure } from '../../../infra/disk-failure.ts';

it.each([
  ['ENOSPC', 'SharedDiskFull'],
  ['EDQUOT', 'SharedDiskFull'],
  ['EROFS', 'SharedDiskReadOnly'],
  ['EACCES', 'SharedDiskReadOnly'],
  ['EIO', 'SharedDiskUnavailable'],
  ['ESTALE', 'SharedDiskUnavailable'],
])('tells %s as %s, with the folder and what to do', (code, type) => {
  const error = Object.assign(new Error(`${code}: as the system says it`), { code });
  expect(toDiskFailure(error, '/shared')).toMatchObject({
    type,
    message: expect.stringMatching(
      /^\/shared cannot be written: E.*\. Expected .*: .*tried again meanwhile\.$/,
    ),
  });
});

it('leaves errors alone that are not the disk’s', () => {
  expect(toDiskFailure(Object.assign(new Error('no such file'), { code: 'ENOENT' }))).toBeNull();
  expect(toDiskFailure(new Error('No space left on device'))).toBeNull();
});

it('finds nothing wrong with a disk that takes what is written, and leaves nothing there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hephaestus-disk-'));
  try {
    expect(await diskFailure(folder)).toBeNull();
    expect(await readdir(folder)).toEqual([]);
    expect(await diskFailure(join(folder, 'missing'))).toBeNull();
  } finally {
    await rm(folder, { recursive: true });
  }
});
