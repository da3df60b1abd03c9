import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { ensureTools } from '../../../../infra/tools/ensure-tools.ts';
import { MissingToolError, preflight } from '../../../../infra/tools/preflight.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'preflight-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** A program that prints these words, and fails on `-c` where it is a Python without venv. */
async function program(name: string, words: string, { venv = true } = {}): Promise<void> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n[ "$1" = -c ] && exit ${venv ? 0 : 1}\necho "${words}"\n`);
  await chmod(path, 0o755);
}

async function problems(): Promise<readonly string[]> {
  const error: unknown = await preflight({ PATH: folder }).catch((reason: unknown) => reason);
  if (!(error instanceof MissingToolError)) throw error;
  expect(error.message).toContain(error.problems.join('\n  - '));
  return error.problems;
}

describe('preflight', () => {
  it('finds what is there', async () => {
    await program('python3', 'Python 3.12.1');
    await program('git', 'git version 2.43.0');
    await program('npm', '10.8.2');
    expect(await preflight({ PATH: `relative:${folder}` })).toEqual({
      python: join(folder, 'python3'),
      git: join(folder, 'git'),
      npm: join(folder, 'npm'),
    });
  });

  it('names everything that is missing at once, with the command that mends it', async () => {
    await program('apt-get', 'apt 2.6');
    expect(await problems()).toEqual([
      'no python3 on the PATH; Python 3.10.0 or newer, below 3.15.0 is needed: sudo apt-get install python3 python3-venv',
      'no git on the PATH; git 2.39.0 or newer is needed: sudo apt-get install git',
      'no npm on the PATH; npm 10.0.0 or newer is needed: sudo apt-get install npm',
    ]);
  });

  it('passes over an old Python to a newer one beside it', async () => {
    await program('python3', 'Python 3.8.10');
    await program('git', 'git version 2.43.0');
    await program('npm', '10.8.2');
    expect(await problems()).toEqual([expect.stringContaining('python3 is 3.8.10; Python 3.10.0 or newer')]);
    await program('python3.11', 'Python 3.11.2');
    expect((await preflight({ PATH: folder })).python).toBe(join(folder, 'python3.11'));
  });

  it('tells a Python without venv from a missing one', async () => {
    await program('dnf', '4.0');
    await program('python3', 'Python 3.12.1', { venv: false });
    await program('git', 'git version 2.30.0');
    await program('npm', '10.8.2');
    expect(await problems()).toEqual([
      expect.stringMatching(/python3 cannot make virtual environments .*: sudo dnf install/),
      expect.stringMatching(/git is 2\.30\.0; git 2\.39\.0 or newer is needed/),
    ]);
  });
});

describe('ensureTools', () => {
  it('uses what is on the path when its version fits, and installs nothing', async () => {
    await program('python3', 'Python 3.12.1');
    await program('git', 'git version 2.43.0');
    await program('npm', '10.8.2');
    await program('temporal', 'temporal version 1.9.4 (Server 1.32.0)');
    await program('uv', 'uv 0.13.0');
    await program('wandb', 'wandb, version 0.32.1');
    await program('gemini', '0.61.3');
    await program('qwen', '0.25.0');
    const lines: string[] = [];
    const tools = await ensureTools({
      root: join(folder, '.tools'),
      which: ['temporal', 'uv', 'wandb', 'agents'],
      environment: { PATH: folder },
      log: (line) => lines.push(line),
    });
    expect(tools).toMatchObject({
      temporal: join(folder, 'temporal'),
      uv: join(folder, 'uv'),
      wandb: join(folder, 'wandb'),
      gemini: [join(folder, 'gemini')],
      qwen: [join(folder, 'qwen')],
      node: process.execPath,
    });
    expect(lines).toEqual([]);
  });

  it('starts the script behind an installed Qwen Code with the flag that keeps its memory small', async () => {
    await program('python3', 'Python 3.12.1');
    await program('git', 'git version 2.43.0');
    await program('npm', '10.8.2');
    await program('gemini', '0.61.0');
    await mkdir(join(folder, 'lib'));
    await program('lib/cli-entry.js', '0.24.4');
    await program('lib/cli.js', '0.24.4');
    await symlink('lib/cli-entry.js', join(folder, 'qwen'));
    const { qwen } = await ensureTools({
      root: join(folder, '.tools'),
      which: ['agents'],
      environment: { PATH: folder },
    });
    expect(qwen).toEqual([process.execPath, '--liftoff-only', join(folder, 'lib', 'cli.js')]);
  });

  it('stops before anything starts when the machine lacks something', async () => {
    await expect(
      ensureTools({ root: join(folder, '.tools'), environment: { PATH: folder } }),
    ).rejects.toThrow(MissingToolError);
  });
});
