import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { localAddress } from '../../../../client/up/local-address.ts';
import { loadConfig } from '../../../../infra/config/load-config.ts';
import { runIn } from '../run-in.ts';

const addressOf = (env: Record<string, string>) =>
  localAddress(
    loadConfig({ env: { TEMPORAL_CONFIG_FILE: '/nonexistent', ...env }, zones: [], cwd: '/' }).temporal,
  );

it('takes the ports of the settings by which all other commands find Temporal', () => {
  expect(addressOf({})).toEqual({ port: 7233, uiPort: 8233, namespace: 'default' });
  const env = {
    TEMPORAL_ADDRESS: 'localhost:17233',
    HEPHAESTUS_TEMPORAL_UI_URL: 'http://localhost:18233',
    TEMPORAL_NAMESPACE: 'lab',
  };
  expect(addressOf(env)).toEqual({ port: 17_233, uiPort: 18_233, namespace: 'lab' });
});

it.each([
  [{ TEMPORAL_ADDRESS: 'temporal.lab:7233' }, 'TEMPORAL_ADDRESS'],
  [{ TEMPORAL_API_KEY: 'canary-key' }, 'TEMPORAL_API_KEY'],
  [{ HEPHAESTUS_TEMPORAL_UI_URL: 'https://temporal.lab' }, 'HEPHAESTUS_TEMPORAL_UI_URL'],
  [{ HEPHAESTUS_TEMPORAL_UI_URL: 'http://127.0.0.1:7233' }, 'a port of its own'],
])('refuses %j, which mean another Temporal', (env, words) => {
  expect(() => addressOf(env)).toThrow(words);
  expect(() => addressOf(env)).not.toThrow('canary-key');
});

it.each([['up'], ['worker', '--zone', 'local']])(
  '%s refuses a .env with secrets that everybody may read',
  async (...args) => {
    const cwd = await mkdtemp(join(tmpdir(), 'open-'));
    await writeFile(join(cwd, '.env'), 'GEMINI_API_KEY=canary-key\n');
    await chmod(join(cwd, '.env'), 0o604);
    const { code, err } = await runIn(args, { cwd });
    await rm(cwd, { recursive: true });
    expect(code).toBe(2);
    expect(err).toContain(`chmod 600 ${join(cwd, '.env')}`);
    expect(err).not.toContain('canary-key');
  },
);

it('down has nothing to do where nothing runs', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'down-'));
  const { code, out } = await runIn(['down', '--json'], { cwd });
  await rm(cwd, { recursive: true });
  expect({ code, answer: JSON.parse(out) as object }).toEqual({
    code: 0,
    answer: { stopped: false, home: join(cwd, '.hephaestus') },
  });
});
