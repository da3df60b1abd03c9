import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';

import { verifyEnvironment } from '../../../activities/environment/verify-environment.ts';
import { environmentCli } from './environment-cli.ts';
import { freezeIn, quietActivity, SmallWorld } from './small-project.ts';

let world: SmallWorld;
let digest: string;
let folder: string;

beforeEach(async () => {
  world = await SmallWorld.create(inject('tools'));
  await world.addPackage('hello', { 'hello/__init__.py': 'x = 1\n' });
  await world.addExperiment('first', ['hello==1.0']);
  ({ digest } = await freezeIn(quietActivity(), world.dependencies, world.input('first')));
  folder = join(world.shared, 'environments', digest);
});

afterEach(() => world.remove());

const verify = async () => verifyEnvironment(folder, world.dependencies.environment);
const codes = async () => (await verify()).differences.map(({ code }) => code);
const module = () =>
  join(folder, 'venv/lib', `python${world.python.split('.').slice(0, 2).join('.')}`, 'site-packages/hello');

describe('environment verify', () => {
  it('finds nothing in an environment as it was proven, also after an honest copy', async () => {
    expect(await verify()).toMatchObject({ differences: [], notes: [] });
    const copy = join(world.root, 'copy', digest);
    await mkdir(join(world.root, 'copy'));
    await execa('cp', ['-a', folder, copy]);
    const verification = await verifyEnvironment(copy, world.dependencies.environment);
    expect(verification.differences).toEqual([]);
    expect(verification.notes.join()).toContain(`It belongs at ${folder}`);
  });

  it('tells each way in which it can have changed', async () => {
    const init = join(module(), '__init__.py');
    await chmod(init, 0o644);
    expect(await codes()).toEqual(['content-changed']);
    await writeFile(init, 'x = 2\n');
    await chmod(init, 0o444);
    const { differences } = await verify();
    expect(differences).toEqual([
      { code: 'content-changed', sentence: expect.stringContaining('as many files and bytes as then') },
    ]);
    await writeFile(init, 'x = 1\n');
    expect(await codes()).toEqual([]);
    await chmod(module(), 0o755);
    await writeFile(join(module(), 'more.py'), '');
    expect(await codes()).toEqual(['content-changed']);
    await rm(join(module(), 'more.py'));
    await chmod(module(), 0o555);
    expect(await codes()).toEqual([]);
  });

  it('tells an interpreter that is not there or another one, and a folder of another name', async () => {
    const bin = join(folder, 'venv', 'bin');
    await chmod(bin, 0o755);
    await execa('ln', ['-sfn', '/nowhere/python3', join(bin, 'python')]);
    await chmod(bin, 0o555);
    expect(await codes()).toEqual(['content-changed', 'broken-link', 'interpreter-differs']);
    const renamed = join(world.shared, 'environments', 'f'.repeat(32));
    await rename(folder, renamed);
    const { differences } = await verifyEnvironment(renamed, world.dependencies.environment);
    expect(differences[0]).toMatchObject({
      code: 'another-digest',
      sentence: expect.stringContaining(digest),
    });
  });

  it('answers by exit code and JSON, by the beginning of the digest or the folder', async () => {
    const cli = environmentCli(world);
    expect(await cli('verify', digest.slice(0, 8))).toMatchObject({
      code: 0,
      out: expect.stringContaining('is what its proof of'),
    });
    const json = await cli('verify', folder, '--json');
    expect(JSON.parse(json.out)).toMatchObject({ digest, same: true, differences: [] });
    await chmod(folder, 0o755);
    await rm(join(folder, 'environment.json'));
    expect(await cli('verify', folder)).toMatchObject({ code: 1, out: expect.stringContaining('no-proof') });
    expect(await cli('verify', 'abcdef123')).toMatchObject({
      code: 3,
      err: expect.stringContaining('There is no environment "abcdef123"'),
    });
  });
});

describe('environment freeze and show', () => {
  it('builds the environment of any folder, finds it again, and prints its proof', async () => {
    const project = join(world.root, 'project');
    await execa('cp', ['-a', join(world.shared, 'experiments/first/source'), project]);
    await execa('rm', ['-rf', join(project, '.venv'), join(project, '.git')]);
    const cli = environmentCli(world);
    const [python, interpreter] = [world.python.split('.').slice(0, 2).join('.'), world.interpreter];
    expect(await cli('freeze', project, '--interpreter', interpreter)).toMatchObject({
      code: 2,
      err: expect.stringContaining('add --python'),
    });
    expect(await cli('freeze', project, '--python', '4', '--interpreter', interpreter)).toMatchObject({
      code: 2,
      err: expect.stringContaining('--python: must be a Python version'),
    });
    const frozen = await cli('freeze', project, '--python', python, '--interpreter', interpreter, '--json');
    expect(frozen).toMatchObject({ code: 0 });
    const answer = JSON.parse(frozen.out) as { digest: string; reused: boolean };
    await writeFile(join(project, '.python-version'), `${python}\n`);
    expect(await cli('freeze', project, '--interpreter', interpreter)).toMatchObject({
      code: 0,
      out: expect.stringContaining(`Found: ${answer.digest}`),
    });
    await writeFile(join(project, 'uv.lock'), 'version = 1\n');
    expect(await cli('freeze', project, '--interpreter', interpreter)).toMatchObject({ code: 4 });
    const shown = await cli('show', answer.digest);
    expect(shown.code).toBe(0);
    expect(shown.out).toMatch(/environment +[0-9a-f]{32}[^]*used by[^]* hello +1\.0/);
  });
});
