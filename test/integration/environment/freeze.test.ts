import { lstat, mkdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';

import type { FreezeInput, FrozenEnvironment } from '../../../activities/environment/interface.ts';
import { readProof } from '../../../activities/environment/proof.ts';
import { treeDigest } from '../../../activities/environment/tree-digest.ts';
import { freezeIn, quietActivity, SmallWorld } from './small-project.ts';

const hello = { 'hello/__init__.py': 'def greet():\n    return "good day"\n' };
let world: SmallWorld;

beforeEach(async () => {
  world = await SmallWorld.create(inject('tools'));
});

afterEach(() => world.remove());

function freeze(input: FreezeInput): Promise<FrozenEnvironment> {
  return freezeIn(quietActivity(), world.dependencies, input);
}

describe('freezeEnvironment', () => {
  it('builds, proves and links an environment that a job can enter', async () => {
    await world.addPackage('hello', hello);
    const source = await world.addExperiment('first', ['hello==1.0']);
    const frozen = await freeze(world.input('first'));
    const folder = join(world.shared, 'environments', frozen.digest);
    expect(frozen).toMatchObject({ reused: false, packages: 1 });
    expect(await readlink(join(source, '.venv'))).toBe(`../../../environments/${frozen.digest}/venv`);
    const script =
      '. ./.venv/bin/activate && python -c "import hello; print(hello.greet())" && echo "$VIRTUAL_ENV"';
    const { stdout } = await execa('sh', ['-c', script], { cwd: source });
    expect(stdout).toBe(`good day\n${join(folder, 'venv')}`);
    expect(await readProof(folder)).toMatchObject({
      digest: frozen.digest,
      packages: [{ name: 'hello', version: '1.0', hashes: [expect.stringMatching(/^sha256:[0-9a-f]{64}$/)] }],
      treeDigest: (await treeDigest(folder)).digest,
      rehearsal: { imported: ['hello'] },
      python: { version: world.python, managed: false },
    });
    expect((await execa('git', ['status', '--porcelain'], { cwd: source })).stdout).toBe('');
    expect((await execa('find', [folder, '!', '-type', 'l', '-perm', '/222'])).stdout).toBe('');
    expect((await execa('find', [folder, '-name', '*.pyc'])).stdout).toContain(
      'hello/__pycache__/__init__.cpython',
    );
    // Nothing names the folder in which it was built, and nothing else stands beside it.
    expect(
      (await execa('grep', ['-rlF', `${frozen.digest}.`, join(folder, 'venv')], { reject: false })).stdout,
    ).toBe('');
    expect(await world.environments()).toEqual([frozen.digest]);
  });

  it('proves nothing that is not on the disk itself', async () => {
    await world.addPackage('hello', hello);
    await world.addExperiment('first', ['hello==1.0']);
    const bin = join(world.shared, '..', 'bin');
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, 'sync'), '#!/bin/sh\necho "Input/output error" >&2; exit 1\n', { mode: 0o755 });
    const { environment } = world.dependencies;
    const broken = { ...environment, PATH: `${bin}:${environment['PATH'] ?? ''}` };
    await expect(
      freezeIn(quietActivity(), { ...world.dependencies, environment: broken }, world.input('first')),
    ).rejects.toMatchObject({
      type: 'SharedDiskUnavailable',
      message: expect.stringContaining('Input/output error') as string,
    });
    expect(await world.environments()).toEqual([]);
  });

  it('finds it again for another experiment without starting uv', async () => {
    await world.addPackage('hello', hello);
    await world.addExperiment('first', ['hello==1.0']);
    const source = await world.addExperiment('second', ['hello==1.0']);
    const first = await freeze(world.input('first'));
    expect(await world.calls()).not.toEqual([]);
    expect(await freeze(world.input('second'))).toEqual({ ...first, reused: true });
    expect(await freeze(world.input('second'))).toEqual({ ...first, reused: true });
    expect(await world.calls()).toEqual([]);
    expect(await readlink(join(source, '.venv'))).toContain(first.digest);
  });

  it('lets two builders at once make one environment', async () => {
    await world.addPackage('hello', hello);
    await world.addExperiment('first', ['hello==1.0']);
    await world.addExperiment('second', ['hello==1.0']);
    const [first, second] = await Promise.all([freeze(world.input('first')), freeze(world.input('second'))]);
    expect(first.digest).toBe(second.digest);
    expect((await world.calls()).filter((call) => call.startsWith('sync'))).toHaveLength(1);
    expect(await world.environments()).toEqual([first.digest]);
  });

  it('builds from requirements with hashes', async () => {
    const requirement = await world.addPackage('hello', hello);
    await world.addRequirements('first', [requirement]);
    expect(await freeze(world.input('first', { requirements: 'requirements.txt' }))).toMatchObject({
      packages: 1,
    });
  });

  it('belongs at the path where the job sees the disk', async () => {
    await world.addPackage('hello', hello);
    await world.addExperiment('first', ['hello==1.0']);
    const { disk } = world.dependencies;
    const elsewhere = { ...world.dependencies, disk: { ...disk, jobSharedDir: '/job/disk' } };
    const here = await freeze(world.input('first'));
    const there = await freezeIn(quietActivity(), elsewhere, world.input('first'));
    expect(there.digest).not.toBe(here.digest);
    // Where a folder can be shown at another path, it was rehearsed there.
    const elsewhereSeen = world.dependencies.isolation === 'namespaces' ? '' : 'the job sees it at /job/disk';
    expect(there.missingGuarantees.join()).toContain(elsewhereSeen);
    expect(here.missingGuarantees.join()).not.toContain('/job/disk');
    const activate = join(world.shared, 'environments', there.digest, 'venv', 'bin', 'activate');
    expect(await readFile(activate, 'utf8')).toContain(`/job/disk/environments/${there.digest}/venv`);
  });

  it('names another environment when anything that goes in changes', async () => {
    await world.addPackage('hello', hello);
    await world.addPackage('other', { 'other.py': '' });
    await world.addExperiment('first', ['hello==1.0']);
    await world.addExperiment('second', ['hello==1.0', 'other==1.0']);
    const digests = [await freeze(world.input('first')), await freeze(world.input('second'))].map(
      ({ digest }) => digest,
    );
    expect(new Set(digests).size).toBe(2);
  });
});

describe('what freezeEnvironment refuses', () => {
  it('a lock that does not fit its project, with the words of uv', async () => {
    await world.addPackage('hello', hello);
    await world.addPackage('other', { 'other.py': '' });
    const source = await world.addExperiment('first', ['hello==1.0']);
    await writeFile(join(source, 'pyproject.toml'), world.pyproject(['hello==1.0', 'other==1.0']));
    await expect(freeze(world.input('first'))).rejects.toMatchObject({
      type: 'EnvironmentLockMismatch',
      nonRetryable: true,
      message: expect.stringMatching(
        /uv\.lock does not fit its pyproject\.toml; run uv lock[^]*needs to be updated/,
      ),
    });
    expect(await world.environments()).toEqual([]);
  });

  it('a hash that differs, a package that does not exist, and a requirement without a hash', async () => {
    const requirement = await world.addPackage('hello', hello);
    const faults = {
      differs: requirement.replace(/sha256:.{8}/, 'sha256:00000000'),
      absent: `absent==1.0 --hash=sha256:${'0'.repeat(64)}`,
      unhashed: 'hello==1.0',
    };
    for (const [id, line] of Object.entries(faults)) {
      await world.addRequirements(id, [line]);
      await expect(freeze(world.input(id, { requirements: 'requirements.txt' }))).rejects.toMatchObject({
        type: 'EnvironmentBuildFailed',
        message: expect.stringMatching(/uv says:\n[^]*\w+/),
      });
    }
    expect(await world.environments()).toEqual([]);
  });

  it('requirements that refer to another file, and a lock that leads out of the repository', async () => {
    await world.addRequirements('first', ['-r more.txt']);
    await expect(freeze(world.input('first', { requirements: 'requirements.txt' }))).rejects.toMatchObject({
      type: 'EnvironmentLockMismatch',
      message: expect.stringContaining('-r more.txt'),
    });
    await world.addPackage('hello', hello);
    const source = await world.addExperiment('second', ['hello==1.0']);
    const outside = join(world.root, 'uv.lock');
    await writeFile(outside, await readFile(join(source, 'uv.lock')));
    await rm(join(source, 'uv.lock'));
    await symlink(outside, join(source, 'uv.lock'));
    await expect(freeze(world.input('second'))).rejects.toMatchObject({
      type: 'EnvironmentLockMismatch',
      message: expect.stringContaining('leads out of the repository'),
    });
  });

  it('a .venv that somebody committed, but not one that only lies there', async () => {
    await world.addPackage('hello', hello);
    const source = await world.addExperiment('first', ['hello==1.0']);
    await mkdir(join(source, '.venv'));
    await writeFile(join(source, '.venv', 'pyvenv.cfg'), 'home = /elsewhere\n');
    await freeze(world.input('first'));
    expect((await lstat(join(source, '.venv'))).isSymbolicLink()).toBe(true);
    await rm(join(source, '.venv'));
    await mkdir(join(source, '.venv'));
    await writeFile(join(source, '.venv', 'pyvenv.cfg'), 'home = /elsewhere\n');
    await world.commit(source);
    await expect(freeze(world.input('first'))).rejects.toMatchObject({
      type: 'EnvironmentNotPortable',
      message: expect.stringContaining('git rm -r --cached .venv'),
    });
  });

  it('an interpreter that is absent or another version', async () => {
    await world.addPackage('hello', hello);
    await world.addExperiment('first', ['hello==1.0']);
    await expect(freeze(world.input('first', { interpreter: '/image/bin/python3' }))).rejects.toMatchObject({
      type: 'EnvironmentBuildFailed',
      message: expect.stringContaining('/image/bin/python3 does not run here'),
    });
    await expect(freeze(world.input('first', { python: '3.1' }))).rejects.toMatchObject({
      type: 'EnvironmentBuildFailed',
      message: expect.stringContaining(`is Python ${world.python}; the task note wants 3.1`),
    });
  });

  it('packages that cannot be imported, name code outside, or reach for the network', async ({ skip }) => {
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    try {
      await world.addPackage('broken', { 'broken/__init__.py': 'import nowhere\n' });
      await world.addPackage('leaving', { 'leaving.pth': '/opt/elsewhere\n', 'leaving.py': '' });
      await world.addPackage('calling', {
        'calling.py': `import socket\nsocket.create_connection(("127.0.0.1", ${port}), 5)\n`,
      });
      await world.addExperiment('first', ['broken==1.0', 'leaving==1.0', 'calling==1.0']);
      if (world.dependencies.isolation === 'none')
        skip('this machine has no way to keep a process from the network');
      const error: unknown = await freeze(world.input('first')).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ type: 'EnvironmentNotPortable' });
      const { message } = error as Error;
      expect(message).toContain(
        "- [import-fails] import broken fails: ModuleNotFoundError: No module named 'nowhere'",
      );
      expect(message).toMatch(/- \[import-fails\] import calling fails: \w*Error/);
      expect(connections).toBe(0);
      expect(message).toMatch(
        /\[foreign-path-file\] \S+leaving\.pth adds \/opt\/elsewhere to the search path/,
      );
      expect(await world.environments()).toEqual([]);
    } finally {
      server.close();
    }
  });
});
