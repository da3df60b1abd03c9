import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { execa } from 'execa';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';

import { freezeIn, quietActivity, SmallWorld } from './small-project.ts';

let world: SmallWorld;

beforeEach(async () => {
  world = await SmallWorld.create(inject('tools'));
});

afterEach(() => world.remove());

it('a disk that fills half-way is told, leaves nothing, and is gone on with once there is room', async (context) => {
  await world.addPackage('hello', { 'hello.py': `text = ${JSON.stringify('x'.repeat(60_000))}\n` });
  await world.addExperiment('first', ['hello==1.0']);
  const disk = join(world.shared, 'environments');
  await mkdir(disk);
  const mounted = await execa('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'none', disk], { reject: false });
  if (mounted.failed) return context.skip(`no file system can be mounted here: ${mounted.stderr}`);
  try {
    const freezing = freezeIn(quietActivity(), world.dependencies, world.input('first'));
    await expect(freezing).rejects.toMatchObject({
      type: 'SharedDiskFull',
      nonRetryable: false,
      message: expect.stringContaining(disk),
    });
    expect(await world.environments()).toEqual([]);
    await execa('mount', ['-o', 'remount,size=64m', disk]);
    const frozen = await freezeIn(quietActivity(), world.dependencies, world.input('first'));
    expect(await world.environments()).toEqual([frozen.digest]);
  } finally {
    await execa('umount', ['--lazy', disk]);
  }
});
