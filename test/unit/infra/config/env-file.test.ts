import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { findEnvFileProblems } from '../../../../infra/config/env-file.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'env-file-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function problemsOf(text: string, mode: number): Promise<string[]> {
  const path = join(directory, '.env');
  await writeFile(path, text);
  await chmod(path, mode);
  return findEnvFileProblems(directory).map(({ key, found }) => `${key}: ${found}`);
}

it('has nothing to say of a file that is not there', () => {
  expect(findEnvFileProblems(directory)).toEqual([]);
});

it('refuses secrets that everybody may read, and names them without their values', async () => {
  const [problem = '', ...more] = await problemsOf('WANDB_API_KEY=hidden-value\nWANDB_ENTITY=lab\n', 0o644);
  expect(more).toEqual([]);
  expect(problem).toContain('WANDB_API_KEY');
  expect(problem).not.toContain('WANDB_ENTITY');
  expect(problem).not.toContain('hidden-value');
  expect(await problemsOf('WANDB_API_KEY=hidden-value\n', 0o640)).toEqual([]);
  expect(await problemsOf('WANDB_API_KEY=\nWANDB_ENTITY=lab\n', 0o644)).toEqual([]);
});

it.each([
  ['A=1\nstray words\nB=2', ['.env, line 2']],
  ['A="two\nlines"\n# a comment that isn\'t one\n\nexport B=2', []],
  ["A='x # y'\n=nothing", ['.env, line 2']],
  ['KEY: value', []],
])('finds the stray lines of %j', async (text, keys) => {
  expect((await problemsOf(text, 0o600)).map((problem) => problem.split(': ')[0])).toEqual(keys);
});
