import { chmod, link, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';

import { readProof } from '../../../activities/environment/proof.ts';
import {
  environmentFindings,
  isRefused,
  type EnvironmentFindingCode,
} from '../../../domain/environment-finding.ts';
import { makeElf } from './make-elf.ts';
import { PlantedEnvironment, proveBase } from './planted-environment.ts';
import { freezeIn, quietActivity, SmallWorld } from './small-project.ts';

let world: SmallWorld;
let base: string;

beforeAll(async () => {
  world = await SmallWorld.create(inject('tools'));
  base = await proveBase(world);
});

afterAll(() => world.remove());

interface Fault {
  readonly plant: (environment: PlantedEnvironment) => Promise<unknown>;
  readonly glibc?: string;
  /** What the proof names besides, since one cause may be seen in two places. */
  readonly also?: readonly EnvironmentFindingCode[];
}

const inEnvironment: Readonly<Partial<Record<EnvironmentFindingCode, Fault>>> = {
  'absolute-link': { plant: ({ packages }) => symlink(join(packages, 'hello'), join(packages, 'alias')) },
  'dangling-link': { plant: ({ packages }) => symlink('nothing', join(packages, 'dangling')) },
  'escaping-link': {
    plant: async ({ packages }) => {
      await mkdir(join(world.root, 'data'), { recursive: true });
      await symlink(join(world.root, 'data'), join(packages, 'data'));
    },
  },
  'hard-link': {
    plant: async ({ packages }) => {
      await writeFile(join(world.root, 'cached.txt'), 'shared');
      await link(join(world.root, 'cached.txt'), join(packages, 'cached.txt'));
    },
  },
  'special-file': { plant: ({ packages }) => execa('mkfifo', [join(packages, 'pipe')]) },
  'setuid-file': { plant: async (planted) => chmod(await planted.plant('helper', ''), 0o4755) },
  'world-writable': { plant: async (planted) => chmod(await planted.plant('open.txt', ''), 0o666) },
  'leftover-cache': { plant: (planted) => planted.plant('hello/.git', 'gitdir: elsewhere\n') },
  'foreign-home': {
    plant: (planted) => replaceIn(planted, 'venv/pyvenv.cfg', /^home = .*$/m, 'home = /opt/python/bin'),
  },
  'foreign-shebang': {
    plant: async ({ folder }) => {
      const program = join(folder, 'venv/bin/tool');
      await writeFile(program, '#!/home/someone/.venv/bin/python\n');
      await chmod(program, 0o755);
    },
  },
  'foreign-activate': {
    plant: (planted) => replaceIn(planted, 'venv/bin/activate', planted.folder, '/home/someone/environment'),
  },
  'foreign-path-file': { plant: (planted) => planted.plant('more.pth', '/opt/code\n') },
  'editable-install': {
    plant: async (planted) => {
      await plantModule(planted, 'mine', '');
      await planted.plant(
        'mine-1.0.dist-info/direct_url.json',
        '{"url": "file:///x", "dir_info": {"editable": true}}',
      );
    },
  },
  'damaged-binary': { plant: (planted) => planted.plant('hello/_cut.so', makeElf({}).subarray(0, 40)) },
  'foreign-library-path': {
    plant: async (planted) => {
      await mkdir(join(world.root, 'libraries'), { recursive: true });
      await writeFile(join(world.root, 'libraries', 'libplanted.so.1'), makeElf({}));
      const elf = makeElf({ needed: ['libplanted.so.1'], runpath: join(world.root, 'libraries') });
      await planted.plant('hello/_fast.so', elf);
    },
    also: ['missing-library'],
  },
  'missing-library': {
    plant: (planted) =>
      planted.plant('hello/_fast.so', makeElf({ needed: ['libplanted.so.1', 'libc.so.6'] })),
  },
  'foreign-architecture': { plant: (planted) => planted.plant('hello/_arm.so', makeElf({ machine: 40 })) },
  'glibc-too-new': {
    plant: (planted) =>
      planted.plant(
        'hello/_new.so',
        makeElf({ needed: ['libc.so.6'], versions: ['GLIBC_2.9', 'GLIBC_2.30'] }),
      ),
    glibc: '2.28',
  },
  'does-not-start': {
    plant: async ({ folder }) => {
      const python = join(folder, 'venv/bin/python');
      await rm(python);
      await writeFile(python, '#!/bin/sh\necho "libpython is missing" >&2\nexit 127\n', { mode: 0o755 });
    },
  },
  'import-fails': { plant: (planted) => plantModule(planted, 'broken', 'import nowhere\n') },
  'loaded-from-outside': {
    plant: async (planted) => {
      await mkdir(join(world.root, 'elsewhere'), { recursive: true });
      await writeFile(join(world.root, 'elsewhere', 'stray.py'), '');
      const code = `import sys\nsys.path.append(${JSON.stringify(join(world.root, 'elsewhere'))})\nimport stray\n`;
      await plantModule(planted, 'leaning', code);
    },
  },
};

async function replaceIn(
  { folder }: PlantedEnvironment,
  name: string,
  old: string | RegExp,
  fresh: string,
): Promise<void> {
  const file = join(folder, name);
  const text = await readFile(file, 'utf8');
  const changed = text.replace(old, fresh);
  expect(changed).not.toBe(text);
  await writeFile(file, changed);
}

/** As an installed distribution, since those are what the rehearsal imports. */
async function plantModule(planted: PlantedEnvironment, name: string, code: string): Promise<void> {
  await planted.plant(`${name}.py`, code);
  await planted.plant(
    `${name}-1.0.dist-info/METADATA`,
    `Metadata-Version: 2.1\nName: ${name}\nVersion: 1.0\n`,
  );
  await planted.plant(`${name}-1.0.dist-info/RECORD`, `${name}.py,,\n`);
}

describe('a fault planted in an environment', () => {
  it.each(Object.entries(inEnvironment))('%s is named', async (code, fault) => {
    const planted = await PlantedEnvironment.create(world, base, `fault-${code}`);
    await fault.plant(planted);
    const { findings } = await planted.examine(fault.glibc);
    expect([...new Set(findings.map((finding) => finding.code))].toSorted()).toEqual(
      [code, ...(fault.also ?? [])].toSorted(),
    );
  });
});

type Freezing = Parameters<typeof freezeIn>[2];

const inSources: Readonly<Partial<Record<EnvironmentFindingCode, () => Promise<Freezing>>>> = {
  'python-unsupported': async () => {
    const source = await world.addExperiment('newer', ['hello==1.0']);
    for (const name of ['pyproject.toml', 'uv.lock']) {
      const file = join(source, name);
      await writeFile(file, (await readFile(file, 'utf8')).replace('>=3.10', '>=3.99'));
    }
    return world.input('newer');
  },
  'no-fitting-wheel': async () => {
    await world.addPackage('windowed', { 'windowed.py': '' }, { tag: 'py3-none-win_amd64' });
    await world.addExperiment('other-platform', ['windowed==1.0']);
    return world.input('other-platform');
  },
  'source-only': async () => {
    await world.addPackage('sourced', { 'sourced.py': '' }, { source: true });
    await world.addExperiment('from-source', ['sourced==1.0']);
    return world.input('from-source');
  },
  'cuda-driver-too-old': async () => {
    await world.addPackage('tensors', { 'tensors.py': '' }, { version: '1.0+cu128' });
    await world.addExperiment('gpu', ['tensors==1.0+cu128']);
    return world.input('gpu', { cuda_driver: '470.82.01' });
  },
  'incompatible-packages': async () => {
    const old = await world.addPackage('under', { 'under.py': '' });
    const needing = await world.addPackage('over', { 'over.py': '' }, { requires: ['under>=2'] });
    await world.addRequirements('quarrel', [old, needing]);
    return world.input('quarrel', { requirements: 'requirements.txt' });
  },
};

describe('a fault planted in what an environment is made of', () => {
  it.each(Object.entries(inSources))('%s is named before anything is proven', async (code, plant) => {
    const input = await plant();
    const before = await world.environments();
    await expect(freezeIn(quietActivity(), world.dependencies, input)).rejects.toMatchObject({
      type: 'EnvironmentNotPortable',
      message: expect.stringContaining(`\n- [${code}] `),
    });
    expect(await world.environments()).toEqual(before);
  });

  it('overridden-dependencies is told', async () => {
    await world.addPackage('below', { 'below.py': '' });
    await world.addPackage('above', { 'above.py': '' }, { requires: ['below>=2'] });
    const packages = ['above==1.0', 'below==1.0'];
    const project = `${world.pyproject(packages)}override-dependencies = ["below==1.0"]\n`;
    await world.addExperiment('overridden', packages, project);
    expect(await toldCodes('overridden')).toEqual(['overridden-dependencies']);
  });

  it('index-warning is told of a version that was yanked after it was locked', async () => {
    const requirement = await world.addPackage('withdrawn', { 'withdrawn.py': '' });
    const index = join(world.root, 'index', 'withdrawn');
    await mkdir(index, { recursive: true });
    const file = 'withdrawn-1.0-py3-none-any.whl';
    await writeFile(join(index, file), await readFile(join(world.root, 'wheels', file)));
    const address = `${file}#${requirement.split('--hash=')[1]?.replace(':', '=') ?? ''}`;
    await writeFile(join(index, 'index.html'), `<a href="${address}">${file}</a>`);
    const project = `[project]\nname = "small"\nversion = "0"\nrequires-python = ">=3.10"\ndependencies = ["withdrawn==1.0"]\n[tool.uv]\npackage = false\n[[tool.uv.index]]\nurl = "file://${join(world.root, 'index')}"\ndefault = true\n`;
    await world.addExperiment('yanked', [], project);
    await writeFile(
      join(index, 'index.html'),
      `<a href="${address}" data-yanked="computes wrong gradients">${file}</a>`,
    );
    const told = await toldOf('yanked');
    expect(told).toMatchObject([
      { code: 'index-warning', sentence: expect.stringMatching(/withdrawn==1\.0.*computes wrong gradients/) },
    ]);
  });
});

describe('the planted faults', () => {
  it('covers every code with the faults planted in environments', () => {
    const told: EnvironmentFindingCode[] = ['overridden-dependencies', 'index-warning'];
    const planted = [...Object.keys(inEnvironment), ...Object.keys(inSources), ...told];
    expect(planted.toSorted()).toEqual(Object.keys(environmentFindings).toSorted());
  });
});

async function toldOf(id: string) {
  const { digest } = await freezeIn(quietActivity(), world.dependencies, world.input(id));
  return (await readProof(join(world.shared, 'environments', digest)))?.told;
}

async function toldCodes(id: string): Promise<readonly string[] | undefined> {
  return (await toldOf(id))?.map(({ code }) => code);
}

const good: Readonly<Record<string, Fault['plant']>> = {
  'nothing else in it': () => Promise.resolve(),
  'a relative link inside': ({ packages }) => symlink('hello', join(packages, 'greeting')),
  'a path file that stays inside': (planted) => planted.plant('fine.pth', '# a comment\nhello\nimport os\n'),
  'a package from a folder that is no editable install': async (planted) => {
    await plantModule(planted, 'mine', '');
    await planted.plant('mine-1.0.dist-info/direct_url.json', '{"url": "file:///x", "dir_info": {}}');
  },
  'a program of the shell': async ({ folder }) => {
    const program = join(folder, 'venv/bin/launch');
    await writeFile(program, '#!/usr/bin/env bash\n');
    await chmod(program, 0o755);
  },
  'a script that is data of a package': async (planted) =>
    chmod(await planted.plant('hello/bin/legacy', '#!/usr/local/bin/python2\n'), 0o755),
  'a library beside the one that needs it': async (planted) => {
    await planted.plant('hello.libs/libgreet-1a2b.so.1', makeElf({ needed: ['libc.so.6'] }));
    const elf = makeElf({ needed: ['libgreet-1a2b.so.1'], runpath: '$ORIGIN/../hello.libs' });
    await planted.plant('hello/_fast.so', elf);
  },
  'a search path left over from the build of a wheel': (planted) =>
    planted.plant(
      'hello/_fast.so',
      makeElf({ needed: ['libm.so.6'], runpath: '/opt/_internal/cpython/lib' }),
    ),
  'binaries for an older glibc': (planted) =>
    planted.plant(
      'hello/_old.so',
      makeElf({ needed: ['libc.so.6'], versions: ['GLIBC_2.2.5', 'GLIBC_2.17'] }),
    ),
  'a module that imports the standard library': (planted) => plantModule(planted, 'calm', 'import json\n'),
};

describe('a good environment', () => {
  it.each(Object.entries(good))('with %s is not refused', async (what, plant) => {
    const planted = await PlantedEnvironment.create(world, base, `good-${what.replaceAll(' ', '-')}`);
    await plant(planted);
    const { findings } = await planted.examine('2.28');
    expect(findings.filter(isRefused)).toEqual([]);
  });
});
