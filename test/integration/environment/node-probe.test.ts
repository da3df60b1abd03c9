import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';

import { isolatedCommand } from '../../../infra/isolation/isolation.ts';
import { freezeIn, quietActivity, SmallWorld } from './small-project.ts';

const probe = join(import.meta.dirname, '../../../infra/templates/node-probe.py');
let world: SmallWorld;
let venv: string;
let folder: string;

beforeEach(async () => {
  world = await SmallWorld.create(inject('tools'));
  await world.addPackage('torch', {
    'torch/__init__.py':
      'import os\n__version__ = "2.5"\nclass version: cuda = os.environ.get("FAKE_CUDA")\nclass cuda:\n    is_available = staticmethod(lambda: os.environ.get("FAKE_SEES") != "0")\n    device_count = staticmethod(lambda: 2)\n',
  });
  const source = await world.addExperiment('first', ['torch==1.0']);
  const { digest } = await freezeIn(quietActivity(), world.dependencies, world.input('first'));
  folder = join(world.shared, 'environments', digest);
  venv = join(source, '.venv');
});

afterEach(() => world.remove());

async function run(python = join(venv, 'bin/python')) {
  return execa(python, ['-I', '-', venv], { reject: false, inputFile: probe, all: true });
}

describe('the probe on the node', () => {
  it('is content in the environment that was proven, in one line and quickly', async () => {
    const begun = performance.now();
    const { exitCode, all } = await run();
    expect(all).toBe(`Python ${world.python} in ${folder}; no GPU`);
    expect(exitCode).toBe(0);
    expect(performance.now() - begun).toBeLessThan(2000);
  });

  it('refuses another interpreter, and an environment without a proof or with another', async () => {
    expect(await run(world.interpreter)).toMatchObject({
      exitCode: 78,
      all: expect.stringMatching(/^Python runs in .*expected [^\n]*$/),
    });
    await chmod(folder, 0o755);
    const file = join(folder, 'environment.json');
    const proof = await readFile(file, 'utf8');
    await rm(file);
    expect(await run()).toMatchObject({ exitCode: 78, all: expect.stringContaining('has no proof') });
    await writeFile(file, proof.replaceAll(world.python, '3.9.1'));
    expect(await run()).toMatchObject({ exitCode: 78, all: expect.stringContaining('but 3.9.1 was proven') });
  });

  it('asks the driver and torch where there is a GPU', async ({ skip }) => {
    if (world.dependencies.isolation !== 'namespaces') skip('a device can only be shown in a namespace');
    const compiler = await execa('cc', ['--version'], { reject: false });
    if (compiler.failed) skip('there is no C compiler for a driver that stands in');
    const library = await fakeDriver();
    const onGpu = async (settings: Record<string, string>, driver = library) => {
      const device = join(world.root, 'nvidiactl');
      await writeFile(device, '');
      const argv = [join(venv, 'bin/python'), '-I', '-', venv];
      const [program, ...args] = isolatedCommand('namespaces', argv, {
        bind: [{ from: device, to: '/dev/nvidiactl' }],
      });
      return execa(program, args, {
        reject: false,
        inputFile: probe,
        all: true,
        env: { LD_LIBRARY_PATH: driver, FAKE_CUDA: '12.4', ...settings },
      });
    };
    expect(await onGpu({})).toMatchObject({
      exitCode: 0,
      all: expect.stringMatching(/; driver for CUDA 12\.2, GPUs: 2; torch 2\.5 with CUDA 12\.4 sees 2$/),
    });
    expect(await onGpu({ FAKE_SEES: '0' })).toMatchObject({
      exitCode: 78,
      all: expect.stringMatching(/^torch 2\.5 needs CUDA 12\.4 .* driver is for CUDA 12\.2: [^\n]*$/),
    });
    expect(await onGpu({ FAKE_INIT: '3' })).toMatchObject({
      exitCode: 78,
      all: expect.stringContaining('CUDA error 3'),
    });
    expect(await onGpu({}, '/nowhere')).toMatchObject({
      exitCode: 78,
      all: expect.stringContaining("driver's library cannot be loaded"),
    });
  });
});

/** A library that answers as NVIDIA's does. */
async function fakeDriver(): Promise<string> {
  const place = join(world.root, 'driver');
  await mkdir(place);
  await writeFile(
    join(place, 'cuda.c'),
    '#include <stdlib.h>\nint cuInit(unsigned f) { char *c = getenv("FAKE_INIT"); return c ? atoi(c) : 0; }\nint cuDriverGetVersion(int *v) { *v = 12020; return 0; }\nint cuDeviceGetCount(int *n) { *n = 2; return 0; }\n',
  );
  await execa('cc', ['-shared', '-fPIC', '-o', join(place, 'libcuda.so.1'), join(place, 'cuda.c')]);
  return place;
}
