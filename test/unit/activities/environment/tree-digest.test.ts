import { chmod, cp, mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { treeDigest } from '../../../../activities/environment/tree-digest.ts';

let root: string;
let folder: string;
let before: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'digest-'));
  folder = join(root, 'tree');
  await mkdir(join(folder, 'a'), { recursive: true });
  await writeFile(join(folder, 'a', 'one.py'), 'x = 1\n');
  await writeFile(join(folder, 'large.bin'), Buffer.alloc(3 * 1024 * 1024, 7));
  await symlink('a', join(folder, 'link'));
  before = (await treeDigest(folder)).digest;
});

afterEach(() => rm(root, { recursive: true, force: true }));

describe('treeDigest', () => {
  it('counts files, links and bytes', async () => {
    expect(await treeDigest(folder)).toEqual({ digest: before, files: 3, bytes: 3 * 1024 * 1024 + 6 });
  });

  it('is the same for a copy at another path, at another time, and with a proof in it', async () => {
    const copy = join(root, 'copy');
    await cp(folder, copy, { recursive: true, verbatimSymlinks: true });
    await utimes(join(copy, 'large.bin'), new Date(0), new Date(0));
    await writeFile(join(copy, 'environment.json'), '{}');
    expect((await treeDigest(copy)).digest).toBe(before);
  });

  const changes: Readonly<Record<string, () => Promise<unknown>>> = {
    'the content of a small file': () => writeFile(join(folder, 'a', 'one.py'), 'x = 2\n'),
    'the last byte of a large file': () =>
      writeFile(
        join(folder, 'large.bin'),
        Buffer.concat([Buffer.alloc(3 * 1024 * 1024 - 1, 7), Buffer.from([8])]),
      ),
    'a name': () => rename(join(folder, 'a', 'one.py'), join(folder, 'a', 'two.py')),
    'a permission': () => chmod(join(folder, 'a', 'one.py'), 0o755),
    'the target of a link': async () => {
      await rm(join(folder, 'link'));
      await symlink('a/', join(folder, 'link'));
    },
    'a file that is there besides': () => writeFile(join(folder, 'a', 'extra.pth'), ''),
    'an empty folder that is there besides': () => mkdir(join(folder, 'b')),
  };

  it.each(Object.entries(changes))('notices %s', async (_, change) => {
    await change();
    expect((await treeDigest(folder)).digest).not.toBe(before);
  });

  it('reads no link, and says when there is nothing to read', async () => {
    await rm(join(folder, 'large.bin'));
    await symlink('/nonexistent', join(folder, 'large.bin'));
    await expect(treeDigest(folder)).resolves.toMatchObject({ files: 3 });
    await expect(treeDigest(join(root, 'absent'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
