import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, inject, it, onTestFinished, vi } from 'vitest';

import { holdLock } from '../../../activities/environment/hold-lock.ts';
import { readProof } from '../../../activities/environment/proof.ts';
import { freezeIn, quietActivity, SmallWorld } from './small-project.ts';

const activities = join(import.meta.dirname, '..', '..', '..', 'activities', 'environment');
let world: SmallWorld;

beforeEach(async () => {
  world = await SmallWorld.create(inject('tools'));
  await world.addPackage('hello', { 'hello/__init__.py': '', 'hello/deep/__init__.py': '' });
  await world.addExperiment('first', ['hello==1.0']);
});

afterEach(() => world.remove());

/** Process id of the uv that stands still. */
async function hangingUv(): Promise<number> {
  return vi.waitFor(
    async () => Number((await readFile(join(world.root, 'hanging'), 'utf8')).trim() || 'none'),
    {
      timeout: 20_000,
      interval: 50,
    },
  );
}

/** A dead process that nobody has asked after yet is still listed, as a zombie. */
async function isAlive(pid: number): Promise<boolean> {
  const { stdout } = await execa('ps', ['-o', 'stat=', '-p', String(pid)], { reject: false });
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z');
}

describe('what killed builders left', () => {
  const abandoned = `${'a'.repeat(32)}.AbCdEf`;
  const halfProven = 'b'.repeat(32);
  const inWork = `${'c'.repeat(32)}.AbCdEf`;

  it('is swept by the next build, but not what somebody is building', async () => {
    const environments = join(world.shared, 'environments');
    for (const name of [abandoned, halfProven, inWork]) {
      await mkdir(join(environments, name, 'venv', 'bin'), { recursive: true });
    }
    await mkdir(join(environments, 'notes'));
    await execa('chmod', ['-R', 'a-w', join(environments, abandoned)]);
    const { digest } = await holdLock(join(environments, 'c'.repeat(32)), new AbortController().signal, () =>
      freezeIn(quietActivity(), world.dependencies, world.input('first')),
    );
    expect((await world.environments()).toSorted()).toEqual([digest, inWork, 'notes'].toSorted());
  });
});

describe('an interrupted freeze', () => {
  const steps = ['lock', 'export', 'sync', 'pip'];

  it.each(steps)(
    'is done again after its worker was killed in uv %s, whatever uv still does',
    async (step) => {
      await writeFile(join(world.root, 'hang'), step);
      const script = `
      import { freeze } from '${join(activities, 'freeze.ts')}';
      await freeze(${JSON.stringify(world.dependencies)}, ${JSON.stringify(world.input('first'))}, new AbortController().signal);`;
      const worker = execa(process.execPath, ['--input-type=module', '-e', script], { reject: false });
      const orphan = await hangingUv();
      onTestFinished(() => void process.kill(orphan, 'SIGKILL'));
      worker.kill('SIGKILL');
      await worker;
      expect(await isAlive(orphan)).toBe(true);
      const left = await world.environments();
      expect(left).toHaveLength(2);
      expect(left).toContainEqual(expect.stringMatching(/^\w{32}\.\w{6}$/));
      const lock = left.find((name) => name.endsWith('.lock')) ?? 'no lock';
      // As if the time after which a lock counts as abandoned had passed.
      await utimes(join(world.shared, 'environments', lock), new Date(0), new Date(0));
      await rm(join(world.root, 'hang'));
      const frozen = await freezeIn(quietActivity(), world.dependencies, world.input('first'));
      expect(frozen.reused).toBe(false);
      expect(await world.environments()).toEqual([frozen.digest]);
    },
  );

  it('does not trust a folder without a proof, nor one with half a proof', async () => {
    const { digest } = await freezeIn(quietActivity(), world.dependencies, world.input('first'));
    const folder = join(world.shared, 'environments', digest);
    const proof = await readFile(join(folder, 'environment.json'), 'utf8');
    await execa('chmod', ['u+w', folder]);
    for (const half of [undefined, proof.slice(0, 200), proof.replace('/v2"', '/v0"')]) {
      await rm(folder, { recursive: true, force: true });
      await mkdir(join(folder, 'venv', 'junk'), { recursive: true });
      if (half !== undefined) await writeFile(join(folder, 'environment.json'), half);
      expect(await freezeIn(quietActivity(), world.dependencies, world.input('first'))).toMatchObject({
        digest,
        reused: false,
      });
      expect(await readdir(join(folder, 'venv'))).not.toContain('junk');
      expect(await readProof(folder)).toMatchObject({ digest });
      await execa('chmod', ['-R', 'u+w', folder]);
    }
  });

  it('ends with every process dead and nothing left when it is cancelled', async () => {
    await writeFile(join(world.root, 'hang'), 'sync');
    const activity = quietActivity();
    const freezing = freezeIn(activity, world.dependencies, world.input('first'));
    const settled = freezing.then(
      () => 'done',
      (error: unknown) => error,
    );
    const hanging = await hangingUv();
    activity.cancel('CANCELLED');
    expect(await settled).toMatchObject({ name: expect.stringMatching(/Cancel|Abort/) });
    await vi.waitFor(async () => expect(await isAlive(hanging)).toBe(false));
    expect(await world.environments()).toEqual([]);
  });

  it('says so while uv works', async () => {
    await writeFile(join(world.root, 'hang'), 'sync');
    const activity = quietActivity();
    const beaten = new Promise<void>((resolve) => activity.once('heartbeat', () => resolve()));
    const freezing = freezeIn(activity, world.dependencies, world.input('first')).catch(() => undefined);
    await beaten;
    activity.cancel('CANCELLED');
    await freezing;
  });
});
