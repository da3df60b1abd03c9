import { mkdtemp, readdir, readFile, realpath, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { hasAll, publishOnce, type PublishOptions } from '../../../../infra/tools/publish-once.ts';

let root: string;

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'publish-')));
});

afterEach(() => rm(root, { recursive: true, force: true }));

function options(changes: Partial<PublishOptions> = {}): PublishOptions {
  return {
    root,
    kind: 'python',
    digest: '01234567',
    works: (folder) => hasAll(folder, ['whole']),
    build: (folder) => writeFile(join(folder, 'whole'), folder),
    ...changes,
  };
}

async function failHalfWay(folder: string): Promise<void> {
  await writeFile(join(folder, 'half'), '');
  throw new Error('no network');
}

const builds = async () => (await readdir(root)).filter((name) => /^python-\d+\.\w+$/.test(name));

describe('publishOnce', () => {
  it('builds at the path where the content stays, once', async () => {
    const build = vi.fn(options().build);
    const folder = await publishOnce(options({ build }));
    expect(folder).toBe(join(root, 'python-01234567'));
    expect(await readFile(join(folder, 'whole'), 'utf8')).toBe(await realpath(folder));
    expect(await publishOnce(options({ build }))).toBe(folder);
    expect(build).toHaveBeenCalledTimes(1);
  });

  it('lets two first uses wait for each other', async () => {
    const build = vi.fn(options().build);
    const onWait = vi.fn();
    await Promise.all([publishOnce(options({ build, onWait })), publishOnce(options({ build, onWait }))]);
    expect(build).toHaveBeenCalledTimes(1);
    expect(onWait).toHaveBeenCalledTimes(1);
  });

  it('does not make kinds wait for each other', async () => {
    const agents = { kind: 'agents', digest: 'aaaaaaaa' };
    const inside = publishOnce(
      options({
        build: async (folder) => {
          await publishOnce(options(agents));
          await writeFile(join(folder, 'whole'), '');
        },
      }),
    );
    expect(await inside).toBe(join(root, 'python-01234567'));
  });

  it('publishes nothing of a build that failed, and the next one clears it away', async () => {
    await expect(publishOnce(options({ build: failHalfWay }))).rejects.toThrow('no network');
    expect(await hasAll(root, ['python-01234567'])).toBe(false);
    await publishOnce(options());
    expect(await builds()).toHaveLength(1);
  });

  it('makes again what no longer works, and leaves other versions alone', async () => {
    await publishOnce(options({ digest: '00000000' }));
    const folder = await publishOnce(options());
    await rm(join(folder, 'whole'));
    expect(await hasAll(await publishOnce(options()), ['whole'])).toBe(true);
    expect(await hasAll(root, ['python-00000000/whole'])).toBe(true);
  });

  it('goes on after a builder was killed half way', async () => {
    const script = `
      import { publishOnce } from '${join(import.meta.dirname, '../../../../infra/tools/publish-once.ts')}';
      import { writeFile } from 'node:fs/promises';
      await publishOnce({ root: '${root}', kind: 'python', digest: '01234567', works: async () => false, build: async (folder) => {
        await writeFile(folder + '/half', '');
        console.log('building');
        await new Promise((resolve) => setTimeout(resolve, 600_000));
      } });`;
    const builder = execa(process.execPath, ['--input-type=module', '-e', script], { reject: false });
    await new Promise<void>((resolve) => builder.stdout.once('data', () => resolve()));
    builder.kill('SIGKILL');
    await builder;
    expect(await hasAll(root, ['python.lock', 'python-01234567'])).toBe(false);
    // As if the time after which a lock counts as abandoned had passed.
    await utimes(join(root, 'python.lock'), new Date(0), new Date(0));
    const folder = await publishOnce(options());
    expect(await hasAll(folder, ['whole'])).toBe(true);
    expect(await builds()).toHaveLength(1);
  });

  it('needs no root that exists already', async () => {
    const deeper = join(root, 'a', 'b');
    expect(await publishOnce(options({ root: deeper }))).toBe(join(deeper, 'python-01234567'));
  });
});
