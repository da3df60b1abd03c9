import { lstat, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';

import { holdLock } from '../../../activities/environment/hold-lock.ts';
import { listEnvironments } from '../../../activities/environment/list-environments.ts';
import { planPrune, prune } from '../../../activities/environment/prune-environments.ts';
import { environmentCli } from './environment-cli.ts';
import { freezeIn, quietActivity, SmallWorld } from './small-project.ts';

let world: SmallWorld;
let used: string;
let unused: string;

beforeEach(async () => {
  world = await SmallWorld.create(inject('tools'));
  for (const name of ['hello', 'other']) await world.addPackage(name, { [`${name}.py`]: '' });
  await world.addExperiment('first', ['hello==1.0']);
  await world.addExperiment('second', ['other==1.0']);
  used = (await freezeIn(quietActivity(), world.dependencies, world.input('first'))).digest;
  unused = (await freezeIn(quietActivity(), world.dependencies, world.input('second'))).digest;
  await rm(join(world.shared, 'experiments/second'), { recursive: true });
});

afterEach(() => world.remove());

/** What a builder that was killed leaves: a folder without a proof. */
async function addHalf(name: string, bytes: number): Promise<string> {
  await mkdir(join(world.shared, 'environments', name, 'venv'), { recursive: true });
  await writeFile(join(world.shared, 'environments', name, 'venv', 'part'), Buffer.alloc(bytes));
  return name;
}

async function addAttempt(experiment: string, environmentDigest: string): Promise<void> {
  const folder = join(world.shared, 'experiments', experiment, 'attempts', '1', '0');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'attempt.json'), JSON.stringify({ environmentDigest }));
}

describe('environment list', () => {
  it('tells state, size and who names each, by worktree and by attempt', async () => {
    const half = await addHalf(`${'a'.repeat(32)}.Xy12Zq`, 5000);
    await addAttempt('gone', unused);
    const listed = new Map((await listEnvironments(world.shared)).map((one) => [one.name, one]));
    expect(listed.get(used)).toMatchObject({
      status: 'proven',
      packages: 1,
      usedBy: [{ experiment: 'first', by: 'worktree' }],
    });
    expect(listed.get(unused)).toMatchObject({ usedBy: [{ experiment: 'gone', by: 'attempt' }] });
    expect(listed.get(half)).toMatchObject({ status: 'unproven', bytes: 5000, usedBy: [] });
    const { code, out } = await environmentCli(world)('list');
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`${used} +proven .* first\\n`));
    expect(out).toContain('3 in ');
  });
});

describe('environment prune', () => {
  it('removes what nobody names, half-built ones too, and says how much it frees', async () => {
    const half = await addHalf('b'.repeat(32), 7000);
    const cli = environmentCli(world);
    expect(await cli('prune')).toMatchObject({ code: 2, err: expect.stringContaining('add --yes') });
    expect(await cli('prune', '--dry-run')).toMatchObject({
      code: 0,
      out: expect.stringContaining('2 to remove'),
    });
    expect(await world.environments()).toHaveLength(3);
    const { code, out } = await cli('prune', '--yes', '--json');
    expect(code).toBe(0);
    const answer = JSON.parse(out) as { removed: string[]; freed: number; frees: number };
    expect(answer.removed.toSorted()).toEqual([half, unused].toSorted());
    expect(answer.freed).toBe(answer.frees);
    expect(answer.freed).toBeGreaterThan(7000);
    expect(await world.environments()).toEqual([used]);
  });

  it('keeps what an experiment names, unless it is named itself and forced', async () => {
    const cli = environmentCli(world);
    expect(await cli('prune', used, '--yes')).toMatchObject({
      code: 4,
      out: expect.stringContaining('named by first'),
    });
    expect(await cli('prune', '--yes', '--force')).toMatchObject({ code: 2 });
    expect(await world.environments()).toContain(used);
    expect(await cli('prune', used.slice(0, 10), '--yes', '--force')).toMatchObject({ code: 0 });
    expect(await world.environments()).toEqual([unused]);
  });

  it('spares one that was taken into use, or is being built, after the plan was made', async () => {
    const half = await addHalf('c'.repeat(32), 10);
    const plan = planPrune(await listEnvironments(world.shared));
    expect(plan.remove.map(({ name }) => name).toSorted()).toEqual([half, unused].toSorted());
    await addAttempt('third', unused);
    const folder = join(world.shared, 'environments', half);
    await holdLock(folder, new AbortController().signal, async () => {
      const [building] = (await listEnvironments(world.shared)).filter(({ name }) => name === half);
      expect(building?.status).toBe('building');
      const { removed, spared, freed } = await prune(world.shared, plan);
      expect(removed).toEqual([]);
      expect(spared).toHaveLength(2);
      expect(freed).toBe(0);
    });
    expect((await lstat(join(world.shared, 'environments', unused, 'environment.json'))).isFile()).toBe(true);
  });
});
