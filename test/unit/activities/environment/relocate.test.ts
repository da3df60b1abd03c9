import { mkdir, mkdtemp, readFile, readlink, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { relocate } from '../../../../activities/environment/relocate.ts';

let folder: string;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'relocate-')));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
}

const text = (path: string) => readFile(join(folder, path), 'utf8');

describe('relocate', () => {
  it('names the new place in scripts and leaves the home of the image as it is', async () => {
    await write('venv/pyvenv.cfg', 'home = /usr/bin\nprompt = digits\n');
    await write('venv/bin/activate', `VIRTUAL_ENV='${folder}/venv'\n`);
    await write(
      'venv/bin/tool',
      Buffer.concat([Buffer.from(`#!${folder}/venv/bin/python\n`), Buffer.from([0xff, 0x00, 0xe9])]),
    );
    await write('venv/.lock', '');
    await symlink('/usr/bin/python3.11', join(folder, 'venv/bin/python'));
    await relocate(folder, '/job/é');
    expect(await text('venv/bin/activate')).toBe("VIRTUAL_ENV='/job/é/venv'\n");
    expect(await readFile(join(folder, 'venv/bin/tool'))).toEqual(
      Buffer.concat([Buffer.from('#!/job/é/venv/bin/python\n'), Buffer.from([0xff, 0x00, 0xe9])]),
    );
    expect(await text('venv/pyvenv.cfg')).toBe('home = /usr/bin\nprompt = digits\n');
    expect(await readlink(join(folder, 'venv/bin/python'))).toBe('/usr/bin/python3.11');
    await expect(text('venv/.lock')).rejects.toThrow('ENOENT');
  });

  it('makes an environment with its own interpreter independent of any path', async () => {
    const python = 'python/cpython-3.11.7';
    await write(`${python}/bin/python3.11`, '');
    await write(`${python}/lib/python3.11/_sysconfigdata__linux.py`, `prefix = '${folder}/${python}'\n`);
    await write(`${python}/lib/pkgconfig/python.pc`, `prefix=${folder}/${python}\n`);
    await write('venv/pyvenv.cfg', `home = ${folder}/${python}/bin\nversion_info = 3.11.7\n`);
    await mkdir(join(folder, 'venv/bin'));
    await symlink(join(folder, python, 'bin/python3.11'), join(folder, 'venv/bin/python'));
    await symlink(join(folder, python), join(folder, 'python/cpython-3.11'));
    await relocate(folder, '/job');
    expect(await text('venv/pyvenv.cfg')).toBe('version_info = 3.11.7\n');
    expect(await readlink(join(folder, 'venv/bin/python'))).toBe(`../../${python}/bin/python3.11`);
    expect(await readlink(join(folder, 'python/cpython-3.11'))).toBe('cpython-3.11.7');
    expect(await text(`${python}/lib/python3.11/_sysconfigdata__linux.py`)).toBe(
      `prefix = '/job/${python}'\n`,
    );
    expect(await text(`${python}/lib/pkgconfig/python.pc`)).toBe(`prefix=/job/${python}\n`);
  });

  it.each(['3.9.18', '3.15.0', 'nonsense', ''])(
    'refuses an interpreter of its own that was never tried: "%s"',
    async (version) => {
      await write('python/cpython/bin/python3', '');
      await write('venv/pyvenv.cfg', `home = ${folder}/python/cpython/bin\nversion_info = ${version}\n`);
      await mkdir(join(folder, 'venv/bin'));
      await expect(relocate(folder, '/job')).rejects.toMatchObject({
        type: 'EnvironmentNotPortable',
        message: expect.stringMatching(/expected 3\.10 to 3\.14/),
      });
    },
  );
});
