import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { parse } from 'dotenv';
import { afterEach, beforeEach, expect, it } from 'vitest';

import type { Asker } from '../../../../client/init/asker.ts';
import { collectValues } from '../../../../client/init/collect-values.ts';
import { envText } from '../../../../client/init/env-text.ts';
import { questionsFor } from '../../../../client/init/questions.ts';
import { loadConfig } from '../../../../infra/config/load-config.ts';
import { runIn } from '../run-in.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'init-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const init = (...args: string[]) => runIn(['init', ...args], { cwd: directory });
const written = async (): Promise<Record<string, string>> =>
  parse(await readFile(join(directory, '.env'), 'utf8'));

it('writes a file with all comments that only its owner may read', async () => {
  const ran = await init('--yes', '--set', 'WANDB_ENTITY=my lab', 'QIZHI_PASSWORD_FILE=/run/secrets/qizhi');
  expect(ran).toMatchObject({
    code: 0,
    out: expect.stringContaining(
      'Still to be filled in: GEMINI_API_KEY, GITHUB_TOKEN, QIZHI_USERNAME, WANDB_API_KEY',
    ),
  });
  expect((await stat(join(directory, '.env'))).mode & 0o777).toBe(0o600);
  expect(await written()).toMatchObject({
    WANDB_ENTITY: 'my lab',
    QIZHI_PASSWORD_FILE: '/run/secrets/qizhi',
    TEMPORAL_NAMESPACE: 'default',
  });
  const text = await readFile(join(directory, '.env'), 'utf8');
  const example = await readFile(new URL('../../../../.env.example', import.meta.url), 'utf8');
  expect(text.match(/^#.*$/gm)).toEqual(example.match(/^#.*$/gm));
});

it('never writes over a file without --force, and keeps a copy and the values with it', async () => {
  await writeFile(join(directory, '.env'), 'WANDB_ENTITY=mine\nUV_CACHE_DIR=/cache\n');
  await chmod(join(directory, '.env'), 0o644);
  expect(await init('--yes')).toMatchObject({ code: 4, err: expect.stringContaining('--force') });
  expect(await readFile(join(directory, '.env'), 'utf8')).toBe('WANDB_ENTITY=mine\nUV_CACHE_DIR=/cache\n');
  expect((await init('--yes', '--force', '--set', 'QIZHI_USERNAME=ann')).code).toBe(0);
  expect(await written()).toMatchObject({
    WANDB_ENTITY: 'mine',
    UV_CACHE_DIR: '/cache',
    QIZHI_USERNAME: 'ann',
  });
  const [copy = ''] = (await readdir(directory)).filter((name) => name.endsWith('.bak'));
  expect(await readFile(join(directory, copy), 'utf8')).toContain('WANDB_ENTITY=mine');
  for (const name of ['.env', copy]) expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
});

it.each([
  [['--set', 'WANDB_API_KEY=canary-secret', '--yes'], 'WANDB_API_KEY_FILE'],
  [['--set', 'WANDB_ENTITI=x', '--yes'], 'did you mean WANDB_ENTITY?'],
  [['--set', 'canary-secret', '--yes'], 'expected KEY=VALUE'],
  [[], 'no terminal to ask at'],
])('refuses %j in words that hold no secret, and writes nothing', async (args, words) => {
  const { code, err } = await init(...args);
  expect(code).toBe(2);
  expect(err).toContain(words);
  expect(err).not.toContain('canary-secret');
  expect(await readdir(directory)).toEqual([]);
});

it.each(['plain', 'with blank', "it's", 'a"b#c', '`x`', 'a\\nb', '$HOME', '=', 'ü, 中文', 'two\nlines'])(
  'brings %j back as it was',
  (value) => {
    expect(parse(envText('A=\n# comment\nB=1\n', { A: value, C: value }))).toEqual({
      A: value,
      B: '1',
      C: value,
    });
  },
);

it('asks what the zones need, refuses answers that cannot be used, and makes a configuration of them', async () => {
  const asked: string[] = [];
  const answer = (message: string): string => {
    const [key = ''] = message.split(':');
    asked.push(key);
    return key.includes('URL') ? 'https://example.test' : `${key.toLowerCase()}-value`;
  };
  const complaints: (string | null)[] = [];
  const asker: Asker = {
    text: async ({ message, wrong }) => {
      if (message.startsWith('WANDB_BASE_URL'))
        complaints.push(wrong('ftp://x'), wrong(''), wrong('https://x'));
      return answer(message);
    },
    secret: async ({ message, wrong }) => {
      if (message.startsWith('WANDB_API_KEY')) complaints.push(wrong(''), wrong('two words'));
      return answer(message);
    },
    choose: async () => [],
  };
  const values = await collectValues({ zones: ['networked'], present: {}, given: {}, asker, cwd: directory });
  expect(asked).toEqual(questionsFor(['networked']).map(({ key }) => key));
  expect(complaints).toEqual([
    expect.stringContaining('https://'),
    null,
    null,
    expect.stringContaining('Needed'),
    expect.stringContaining('without blanks'),
  ]);
  const env = { ...values, HEPHAESTUS_JOB_SHARED_DIR: '/shared', TEMPORAL_CONFIG_FILE: '/nonexistent' };
  expect(loadConfig({ env, zones: ['networked'], cwd: directory }).wandb?.apiKey).toBe('wandb_api_key-value');
});
