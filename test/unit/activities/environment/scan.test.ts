import { chmod, link, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';

import { scan } from '../../../../activities/environment/scan.ts';

let root: string;
let folder: string;

const packages = 'venv/lib/python3.11/site-packages';

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'scan-')));
  folder = join(root, 'environment');
  await write('image/bin/python3.11', '');
  await plant('venv/pyvenv.cfg', `home = ${root}/image/bin\nversion_info = 3.11.7\n`);
  await plant('venv/bin/tool', `#!${folder}/venv/bin/python\n`, 0o755);
  await plant('venv/bin/activate', `VIRTUAL_ENV='${folder}/venv'\nexport VIRTUAL_ENV\n`);
  await plant('venv/bin/shell', '#!/bin/sh\n', 0o755);
  await plant(`${packages}/hello/__init__.py`, 'x = 1\n');
  await plant(`${packages}/fine.pth`, '# a comment\nhello\nimport hello; hello.patch()\n');
  await plant(`${packages}/hello-1.0.dist-info/direct_url.json`, '{"url": "file:///x", "dir_info": {}}');
  await symlink('lib', join(folder, 'venv', 'lib64'));
  await symlink(join(root, 'image/bin/python3.11'), join(folder, 'venv/bin/python'));
});

afterEach(() => rm(root, { recursive: true, force: true }));

async function write(path: string, text: string, mode = 0o644): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
  await chmod(join(root, path), mode);
}

const plant = (path: string, text: string, mode?: number) => write(join('environment', path), text, mode);

async function findings(
  interpreterPrefix: string | null = join(root, 'image'),
  path = folder,
): Promise<readonly string[]> {
  const { python } = inject('tools');
  const result = await scan({ folder, path, interpreterPrefix, python, glibc: null });
  return result.findings.map(({ code, sentence }) => `${code}: ${sentence}`);
}

describe('scan', () => {
  it('finds nothing in a good environment, and meets every file once', async () => {
    const { python } = inject('tools');
    const interpreterPrefix = join(root, 'image');
    const result = await scan({ folder, path: folder, interpreterPrefix, python, glibc: null });
    expect(result.findings).toEqual([]);
    // Seven files and two links.
    expect(result.files).toBe(9);
  });

  it('knows the environment by the path that the job sees', async () => {
    expect(await findings(join(root, 'image'), '/job/environment')).toEqual([
      expect.stringMatching(
        /^foreign-activate: venv\/bin\/activate enters .*; the job has it at \/job\/environment\/venv/,
      ),
      expect.stringMatching(/^foreign-shebang: venv\/bin\/tool starts with #!/),
    ]);
  });

  it('does not take the image for part of an environment with its own interpreter', async () => {
    expect(await findings(null)).toEqual([
      expect.stringMatching(/^escaping-link: venv\/bin\/python links out of the environment/),
      expect.stringMatching(/^foreign-home: venv\/pyvenv\.cfg has home = /),
    ]);
  });

  const faults: Readonly<Record<string, { plant: () => Promise<void>; found: RegExp }>> = {
    'an absolute link out of the folder': {
      plant: async () => {
        await write('outside/data.bin', '');
        await symlink(join(root, 'outside/data.bin'), join(folder, packages, 'data.bin'));
      },
      found: /^escaping-link: .*data\.bin links out of the environment/,
    },
    'a relative link that escapes': {
      plant: async () => {
        await write('outside/model.bin', '');
        await symlink('../../../../../outside', join(folder, packages, 'models'));
      },
      found: /^escaping-link: .*models links out of the environment/,
    },
    'a dangling link': {
      plant: () => symlink('nothing', join(folder, packages, 'dangling')),
      found: /^dangling-link: .*dangling links to nothing, which does not exist/,
    },
    'an absolute link to itself': {
      plant: () => symlink(join(folder, packages, 'hello'), join(folder, packages, 'alias')),
      found: /^absolute-link: .*alias is an absolute link/,
    },
    'a hard link': {
      plant: async () => {
        await write('cache/shared.py', '');
        await link(join(root, 'cache/shared.py'), join(folder, packages, 'shared.py'));
      },
      found: /^hard-link: .*shared\.py is a hard link/,
    },
    'a setuid bit': {
      plant: () => plant(`${packages}/root`, '', 0o4755),
      found: /^setuid-file: .*root is setuid/,
    },
    'a path file that leads out': {
      plant: () => plant(`${packages}/out.pth`, '/opt/code\n'),
      found: /^foreign-path-file: .*out\.pth adds \/opt\/code/,
    },
    'an editable install by a finder': {
      plant: () =>
        plant(`${packages}/e.pth`, 'import __editable___x_finder; __editable___x_finder.install()\n'),
      found: /^editable-install: .*e\.pth belongs to an editable install/,
    },
    'an editable install by its record': {
      plant: () => plant(`${packages}/e-1.dist-info/direct_url.json`, '{"dir_info": {"editable": true}}'),
      found: /^editable-install: .*direct_url\.json tells of an editable install/,
    },
    'a script of another interpreter': {
      plant: () => plant('venv/bin/stray', '#!/home/someone/venv/bin/python\n', 0o755),
      found: /^foreign-shebang: .*stray starts with #!\/home\/someone/,
    },
    'a home elsewhere': {
      plant: () => plant('venv/pyvenv.cfg', 'home = /home/someone/python/bin\n'),
      found: /^foreign-home: .*home = \/home\/someone\/python\/bin/,
    },
  };

  it.each(Object.entries(faults))('names %s', async (_, fault) => {
    await fault.plant();
    expect(await findings()).toEqual([expect.stringMatching(fault.found)]);
  });
});
