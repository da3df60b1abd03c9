import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { processEnvironment } from '../../../infra/env.ts';
import { freePort } from '../../../infra/free-port.ts';
import { toolEnvironment } from '../../../infra/tools/tool-environment.ts';

const cli = join(import.meta.dirname, '..', '..', '..', 'client', 'cli', 'index.ts');

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'hephaestus-worker-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

const networked = {
  WANDB_API_KEY: 'w'.repeat(40),
  OPENAI_API_KEY: 'model-key',
  GITHUB_PUSH_TOKEN: 'push-token',
};
const control = {
  GITHUB_TOKEN: 'api-token-canary',
  QIZHI_USERNAME: 'researcher',
  QIZHI_PASSWORD: 'password-canary',
};

async function worker(zone: string, settings: Readonly<Record<string, string>>) {
  const environment = { ...toolEnvironment(processEnvironment()), HEPHAESTUS_HOME: home, ...settings };
  return execa(process.execPath, [cli, 'worker', '--zone', zone], {
    cwd: home,
    env: environment,
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout: 60_000,
  });
}

describe('a worker', () => {
  it.each([
    ['networked', { ...networked, ...control }, ['GITHUB_TOKEN', 'QIZHI_PASSWORD']],
    ['control', { ...control, ...networked }, ['WANDB_API_KEY', 'OPENAI_API_KEY']],
    ['local', { GEMINI_API_KEY: 'g', QIZHI_PASSWORD: 'password-canary' }, ['QIZHI_PASSWORD']],
  ])('for zone %s refuses to start with a credential of another zone', async (zone, settings, names) => {
    const { exitCode, stderr, stdout } = await worker(zone, settings);
    expect(exitCode).toBe(2);
    for (const name of names) expect(stderr).toContain(name);
    expect(stderr + stdout).not.toContain('canary');
  });

  it('says which folder it cannot write', async () => {
    const file = join(home, 'a-file');
    await writeFile(file, '');
    const { exitCode, stderr } = await worker('networked', {
      ...networked,
      HEPHAESTUS_SHARED_DIR: join(file, 'shared'),
    });
    expect(exitCode).toBe(2);
    expect(stderr).toContain(join(file, 'shared'));
    expect(stderr).toContain('HEPHAESTUS_SHARED_DIR');
  });

  it('says that Temporal is not there', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const { exitCode, stderr } = await worker('control', { ...control, TEMPORAL_ADDRESS: address });
    expect(exitCode).toBe(5);
    expect(stderr).toContain(address);
  });
});
