import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { execa } from 'execa';
import { describe, expect, inject, it } from 'vitest';

import { childEnvironment } from '../../../infra/tools/tool-environment.ts';
import { parseVersion } from '../../../infra/tools/versions.ts';
import { processEnvironment } from '../../../infra/env.ts';

const tools = inject('tools');
const folder = join(import.meta.dirname, '..', '..', '..', 'infra', 'tools');

async function version(
  program: string,
  args: readonly string[] = [],
): Promise<readonly number[] | undefined> {
  const { stdout } = await execa(program, [...args, '--version'], {
    env: childEnvironment(processEnvironment()),
    extendEnv: false,
  });
  return parseVersion(stdout);
}

describe('the tools', () => {
  it('start, in the versions of the lock files or newer', async () => {
    const [qwen, ...qwenArguments] = tools.qwen;
    expect((await version(tools.temporal))?.slice(0, 1)).toEqual([1]);
    expect((await version(tools.uv))?.slice(0, 2)).toEqual([0, 13]);
    expect((await version(tools.wandb))?.[0]).toBe(0);
    expect(await version(qwen, qwenArguments)).toBeDefined();
    expect(await version(tools.node)).toBeDefined();
  });
});

describe('the lock files', () => {
  it.each(['requirements.txt', 'agents/package-lock.json'])('%s names no package index', async (name) => {
    expect(await readFile(join(folder, name), 'utf8')).not.toMatch(
      /"resolved"|--(?:extra-)?index-url|--find-links|pypi|@ http/,
    );
  });

  it('pin every Python package by version and hash, as requirements.in asks', async () => {
    const lock = await readFile(join(folder, 'requirements.txt'), 'utf8');
    const packages = lock.split('\n').filter((line) => /^[a-z]/.test(line));
    for (const line of packages) expect(line).toMatch(/^[a-z0-9-]+==\S+ (?:; .* )?\\$/);
    for (const wanted of (await readFile(join(folder, 'requirements.in'), 'utf8')).trim().split('\n')) {
      expect(packages).toContain(`${wanted} \\`);
    }
  });
});
