import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ConfigError } from '../../../../infra/config/config-error.ts';
import { section, type Config } from '../../../../infra/config/config.ts';
import { describeForbidden, forbiddenCredentials } from '../../../../infra/config/forbidden-credentials.ts';
import { zones, type Zone } from '../../../../infra/config/keys.ts';
import { loadConfig } from '../../../../infra/config/load-config.ts';
import { readEnvironment, type Environment } from '../../../../infra/env.ts';

const secrets = {
  GITHUB_TOKEN: 'canary-github-token',
  GITHUB_PUSH_TOKEN: 'canary-push-token',
  GITHUB_WEBHOOK_SECRET: 'canary-webhook-secret',
  QIZHI_PASSWORD: 'canary-qizhi-password',
  WANDB_API_KEY: 'canary-wandb-key',
  GEMINI_API_KEY: 'canary-gemini-key',
  OPENAI_API_KEY: 'canary-openai-key',
} as const;
const complete: Environment = { ...secrets, QIZHI_USERNAME: 'ann' };

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'config-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function load(env: Environment, served: readonly Zone[] = []): Config {
  // No profile of this machine may leak into a test.
  return loadConfig({
    env: { TEMPORAL_CONFIG_FILE: join(directory, 'none.toml'), ...env },
    zones: served,
    cwd: directory,
  });
}

function problemsOf(action: () => unknown): Record<string, string> {
  try {
    action();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Object.fromEntries(
      error.problems.map(({ key, found, expected, todo }) => [key, `${found}|${expected}|${todo}`]),
    );
  }
  return {};
}

describe('loadConfig', () => {
  it('needs nothing at all for a command that only talks to Temporal', () => {
    const config = load({});
    expect(config).toMatchObject({
      home: join(directory, '.hephaestus'),
      temporal: { address: '127.0.0.1:7233', namespace: 'default', uiUrl: 'http://127.0.0.1:8233' },
      policy: { qizhiPollSeconds: 30, requireCopilot: true, requiredChecks: [] },
      github: null,
      qwen: null,
      sharedDisk: null,
    });
  });

  it('fills every section from a complete environment, with the documented defaults', () => {
    const config = load(complete, zones);
    expect(config).toMatchObject({
      github: {
        apiUrl: 'https://api.github.com',
        serverUrl: 'https://github.com',
        token: secrets.GITHUB_TOKEN,
      },
      git: { pushToken: secrets.GITHUB_PUSH_TOKEN },
      qizhi: {
        baseUrl: 'https://qz.sii.edu.cn',
        api: 'openapi',
        credential: { kind: 'login', username: 'ann', password: secrets.QIZHI_PASSWORD },
        clientSource: 'hephaestus',
        proxy: undefined,
        requestsPerSecond: 2,
      },
      wandb: { baseUrl: 'https://api.wandb.ai', entity: undefined },
      sharedDisk: {
        sharedDir: join(directory, '.hephaestus/shared'),
        jobSharedDir: join(directory, '.hephaestus/shared'),
      },
      vault: join(directory, '.hephaestus/vault'),
      builderEnvironment: {},
    });
  });

  it.each<[Zone, readonly string[]]>([
    ['local', ['GEMINI_API_KEY']],
    ['control', ['GITHUB_TOKEN', 'QIZHI_PASSWORD']],
    ['networked', ['GITHUB_PUSH_TOKEN', 'WANDB_API_KEY', 'OPENAI_API_KEY']],
  ])('holds in zone %s only what that zone may hold', (zone, held) => {
    const text = JSON.stringify(load(complete, [zone]));
    const found = Object.entries(secrets).filter(([, value]) => text.includes(value));
    expect(found.map(([key]) => key).toSorted()).toEqual(held.toSorted());
  });

  it('is frozen to the bottom', () => {
    const config = load(complete, zones);
    expect(() => Object.assign(config, { home: '/' })).toThrow(TypeError);
    expect(() => Object.assign(section(config, 'github'), { token: '' })).toThrow(TypeError);
    expect(() => Object.assign(config.policy, { maxRepairs: 99 })).toThrow(TypeError);
  });

  it('tells every problem at once, each with its key', () => {
    const env = {
      HEPHAESTUS_HOEM: 'x',
      QIZHI_POLL_SECONDS: 'soon',
      GITHUB_API_URL: 'github',
      HEPHAESTUS_REQUIRE_COPILOT: 'maybe',
      TEMPORAL_ADDRESS: 'http://localhost:7233',
      HEPHAESTUS_MAX_REPAIRS: '1.5',
      HEPHAESTUS_LOG_LEVEL: 'loud',
    };
    expect(Object.keys(problemsOf(() => load(env, ['control']))).toSorted()).toEqual([
      'GITHUB_API_URL',
      'GITHUB_TOKEN',
      'HEPHAESTUS_HOEM',
      'HEPHAESTUS_LOG_LEVEL',
      'HEPHAESTUS_MAX_REPAIRS',
      'HEPHAESTUS_REQUIRE_COPILOT',
      'QIZHI_PASSWORD',
      'QIZHI_POLL_SECONDS',
      'QIZHI_USERNAME',
      'TEMPORAL_ADDRESS',
    ]);
  });

  it.each([
    ['HEPHAESTUS_HOEM', 'HEPHAESTUS_HOME'],
    ['HEPHAESTUS_SHARE_DIR', 'HEPHAESTUS_SHARED_DIR'],
    ['HEPHAESTUS_WEBHOOKPORT', 'HEPHAESTUS_WEBHOOK_PORT'],
  ])('asks of %s whether %s was meant', (typed, meant) => {
    expect(problemsOf(() => load({ [typed]: '1' }))[typed]).toContain(`did you mean ${meant}?`);
  });

  it('lets a job set the seed, and strangers their own keys', () => {
    expect(problemsOf(() => load({ HEPHAESTUS_SEED: '1', GITHUB_SHA: 'x', QIZHI_OTHER: 'x' }))).toEqual({});
  });

  it('takes an empty value for one that is not given', () => {
    expect(load({ QIZHI_POLL_SECONDS: '', HEPHAESTUS_TEMPORAL_UI_URL: ' ' })).toMatchObject({
      qizhiPollSeconds: 30,
      temporal: { uiUrl: 'http://127.0.0.1:8233' },
    });
    expect(problemsOf(() => load({ ...complete, GITHUB_TOKEN: '' }, ['control']))).toHaveProperty(
      'GITHUB_TOKEN',
    );
  });

  it.each<[key: string, value: string]>([
    ['QIZHI_POLL_SECONDS', '0'],
    ['QIZHI_POLL_SECONDS', '-1'],
    ['QIZHI_POLL_SECONDS', 'NaN'],
    ['QIZHI_POLL_SECONDS', '1e9'],
    ['HEPHAESTUS_REVIEW_DEADLINE_MINUTES', '30m'],
    ['GITHUB_API_URL', 'ftp://example.test'],
    ['GITHUB_API_URL', 'https://user:canary@example.test'],
    ['QIZHI_PROXY', 'socks4://example.test'],
    ['QIZHI_PROXY', 'canary:password@nowhere'],
    ['TEMPORAL_ADDRESS', 'localhost'],
    ['TEMPORAL_ADDRESS', 'localhost:99999'],
    ['GITHUB_TOKEN', 'canary with a blank'],
    ['GITHUB_TOKEN', 'canary\nline'],
  ])('refuses %s = %j without telling a secret', (key, value) => {
    const problems = problemsOf(() => load({ ...complete, [key]: value }, ['control']));
    expect(Object.keys(problems)).toEqual([key]);
    expect(problems[key]).not.toContain('canary');
  });

  it.each<[given: Environment, credential: object]>([
    [{}, { kind: 'login', username: 'ann', password: secrets.QIZHI_PASSWORD }],
    [
      { QIZHI_V2_CREDENTIAL: 'token', QIZHI_ACCESS_TOKEN: 'canary-access' },
      { kind: 'token', value: 'canary-access', file: undefined },
    ],
    [
      { QIZHI_V2_CREDENTIAL: 'cookie', QIZHI_SESSION_COOKIE: 'canary-session' },
      { kind: 'cookie', value: 'canary-session', file: undefined },
    ],
  ])('opens v2 of the platform by what is given: %j', (given, credential) => {
    const own = given['QIZHI_V2_CREDENTIAL'] === undefined ? {} : { QIZHI_USERNAME: '', QIZHI_PASSWORD: '' };
    const config = load({ ...complete, ...own, QIZHI_API: 'v2', ...given }, ['control']);
    expect(config.qizhi).toMatchObject({ api: 'v2', credential });
  });

  it('remembers the file of a credential that others renew', async () => {
    const path = await secretFile('session', 'canary-session\n');
    const env = {
      ...complete,
      QIZHI_API: 'v2',
      QIZHI_V2_CREDENTIAL: 'cookie',
      QIZHI_SESSION_COOKIE_FILE: path,
    };
    expect(load(env, ['control']).qizhi?.credential).toEqual({
      kind: 'cookie',
      value: 'canary-session',
      file: path,
    });
  });

  it.each<[given: Environment, keys: readonly string[]]>([
    [{ QIZHI_API: 'v3', QIZHI_V2_CREDENTIAL: 'key' }, ['QIZHI_API', 'QIZHI_V2_CREDENTIAL']],
    [{ QIZHI_V2_CREDENTIAL: 'token' }, ['QIZHI_V2_CREDENTIAL']],
    [{ QIZHI_API: 'v2', QIZHI_V2_CREDENTIAL: 'token' }, ['QIZHI_ACCESS_TOKEN']],
    [{ QIZHI_API: 'v2', QIZHI_V2_CREDENTIAL: 'cookie' }, ['QIZHI_SESSION_COOKIE']],
    [
      { QIZHI_API: 'v2', QIZHI_V2_CREDENTIAL: 'cookie', QIZHI_SESSION_COOKIE: 'inspire-session=canary' },
      ['QIZHI_SESSION_COOKIE'],
    ],
    [{ QIZHI_API: 'v2', QIZHI_SESSION_COOKIE: 'canary' }, ['QIZHI_SESSION_COOKIE']],
    [
      { QIZHI_ACCESS_TOKEN: 'canary', QIZHI_SESSION_COOKIE: 'canary' },
      ['QIZHI_ACCESS_TOKEN', 'QIZHI_SESSION_COOKIE'],
    ],
    [{ QIZHI_CLIENT_SOURCE: 'two words' }, ['QIZHI_CLIENT_SOURCE']],
    [{ QIZHI_REQUESTS_PER_SECOND: '0' }, ['QIZHI_REQUESTS_PER_SECOND']],
  ])('refuses settings of the platform that do not fit together: %j', (given, keys) => {
    const problems = problemsOf(() => load({ ...complete, ...given }, ['control']));
    expect(Object.keys(problems).toSorted()).toEqual(keys);
    expect(JSON.stringify(problems)).not.toContain('canary');
  });

  it('wants the folder of the shared disk as the job sees it to be absolute', () => {
    const env = { ...complete, HEPHAESTUS_JOB_SHARED_DIR: 'shared' };
    expect(problemsOf(() => load(env, ['networked']))).toHaveProperty('HEPHAESTUS_JOB_SHARED_DIR');
  });

  it.each([
    ['notes', 'notes'],
    ['/srv/notes', '/srv/notes'],
    ['git@example.test:lab/notes.git', 'git@example.test:lab/notes.git'],
    ['https://example.test/lab/notes.git', 'https://example.test/lab/notes.git'],
  ])('takes the vault %s for a folder or a git remote', (given, expected) => {
    const vault = load({ ...complete, HEPHAESTUS_VAULT: given }, ['local']).vault;
    expect(vault).toBe(expected === 'notes' ? join(directory, 'notes') : expected);
  });

  it('pushes with the token of the control zone only where one process serves both', () => {
    const env = { ...complete, GITHUB_PUSH_TOKEN: undefined };
    expect(load(env, ['control', 'networked']).git?.pushToken).toBe(secrets.GITHUB_TOKEN);
    expect(problemsOf(() => load(env, ['networked']))).toHaveProperty('GITHUB_PUSH_TOKEN');
  });

  it('takes a GitHub App instead of the token or beside it, and says what of it is missing or wrong', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const app = { GITHUB_APP_ID: '7', GITHUB_APP_PRIVATE_KEY: pem, GITHUB_APP_INSTALLATION_ID: '9' };
    const oneLine = { ...complete, ...app, GITHUB_APP_PRIVATE_KEY: pem.replaceAll('\n', String.raw`\n`) };
    expect(load(oneLine, ['control']).github).toMatchObject({
      token: secrets.GITHUB_TOKEN,
      app: { id: 7, privateKey: pem, installationId: 9 },
    });
    const alone = { ...complete, ...app, GITHUB_TOKEN: undefined };
    expect(load(alone, ['control']).github?.token).toBeUndefined();
    const noPush = { ...alone, GITHUB_PUSH_TOKEN: undefined };
    expect(problemsOf(() => load(noPush, ['control', 'networked']))).toHaveProperty('GITHUB_PUSH_TOKEN');
    const bad = {
      ...alone,
      GITHUB_APP_ID: 'mine',
      GITHUB_APP_PRIVATE_KEY: 'secret',
      GITHUB_APP_INSTALLATION_ID: '',
    };
    const problems = problemsOf(() => load(bad, ['control']));
    expect(Object.keys(problems).toSorted()).toEqual(Object.keys(app).toSorted());
    expect(JSON.stringify(problems)).not.toContain('secret');
  });

  it('passes only the settings of the builder to the builder', () => {
    const env = {
      ...complete,
      UV_INDEX_URL: 'https://mirror.test',
      PIP_INDEX_URL: 'https://pip.test',
      UV_OFFLINE: '',
    };
    expect(load(env, ['networked']).builderEnvironment).toEqual({
      UV_INDEX_URL: 'https://mirror.test',
      PIP_INDEX_URL: 'https://pip.test',
    });
  });

  it("reads Temporal's own names, with TLS for an API key", () => {
    const { temporal } = load({
      TEMPORAL_ADDRESS: 'cloud.test:7233',
      TEMPORAL_NAMESPACE: 'lab',
      TEMPORAL_API_KEY: 'k',
    });
    expect(temporal).toMatchObject({
      address: 'cloud.test:7233',
      namespace: 'lab',
      connectionOptions: { address: 'cloud.test:7233', apiKey: 'k', tls: true },
    });
  });

  it('needs the webhook secret for the webhook server alone', () => {
    const options = { env: {}, zones: [], cwd: directory };
    expect(loadConfig(options).webhook).toBeNull();
    expect(problemsOf(() => loadConfig({ ...options, webhook: true }))).toHaveProperty(
      'GITHUB_WEBHOOK_SECRET',
    );
    const env = { GITHUB_WEBHOOK_SECRET: 's3cret', HEPHAESTUS_WEBHOOK_PORT: '0' };
    expect(loadConfig({ ...options, env, webhook: true }).webhook).toMatchObject({
      secret: 's3cret',
      port: 0,
    });
  });
});

async function secretFile(name: string, content: string, mode = 0o600): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
}

describe('a secret in a file', () => {
  const without = { ...complete, GITHUB_TOKEN: undefined };

  it('is read without its line end', async () => {
    const path = await secretFile('token', 'canary-file\n');
    expect(load({ ...without, GITHUB_TOKEN_FILE: path }, ['control']).github?.token).toBe('canary-file');
  });

  it.each([
    ['everybody may read', 'canary\n', 0o644, /chmod o-r/],
    ['is empty', '\n', 0o600, /empty/],
  ])('is refused when it %s', async (what, content, mode, message) => {
    const path = await secretFile(what, content, mode);
    const problems = problemsOf(() => load({ ...without, GITHUB_TOKEN_FILE: path }, ['control']));
    expect(Object.keys(problems)).toEqual(['GITHUB_TOKEN_FILE']);
    expect(problems['GITHUB_TOKEN_FILE']).toMatch(message);
    expect(problems['GITHUB_TOKEN_FILE']).not.toContain('canary');
  });

  it('is refused when there is none, and when the value is given as well', async () => {
    const missing = { ...without, GITHUB_TOKEN_FILE: 'missing' };
    expect(problemsOf(() => load(missing, ['control']))['GITHUB_TOKEN_FILE']).toContain('ENOENT');
    const both = { ...complete, GITHUB_TOKEN_FILE: await secretFile('both', 'x') };
    expect(problemsOf(() => load(both, ['control']))['GITHUB_TOKEN_FILE']).toContain('one of the two');
  });
});

describe('forbiddenCredentials', () => {
  it.each<[readonly Zone[], readonly string[]]>([
    [zones, []],
    [
      ['local'],
      [
        'GITHUB_TOKEN',
        'GITHUB_PUSH_TOKEN',
        'GITHUB_WEBHOOK_SECRET',
        'QIZHI_PASSWORD',
        'WANDB_API_KEY',
        'OPENAI_API_KEY',
      ],
    ],
    [['control'], ['GITHUB_PUSH_TOKEN', 'WANDB_API_KEY', 'GEMINI_API_KEY', 'OPENAI_API_KEY']],
    [['networked'], ['GITHUB_TOKEN', 'GITHUB_WEBHOOK_SECRET', 'QIZHI_PASSWORD', 'GEMINI_API_KEY']],
    [['control', 'networked'], ['GEMINI_API_KEY']],
  ])('of zones %j are %j', (served, forbidden) => {
    expect(forbiddenCredentials(complete, served)).toEqual(forbidden);
  });

  it('counts a file as well, and nothing that is empty', () => {
    expect(forbiddenCredentials({ GITHUB_TOKEN_FILE: '/x', WANDB_API_KEY: '' }, ['local'])).toEqual([
      'GITHUB_TOKEN_FILE',
    ]);
  });

  it('are described by key and zone, never by value', () => {
    const text = describeForbidden(forbiddenCredentials(complete, ['local']), ['local']);
    expect(text).toContain('WANDB_API_KEY: only zone networked may hold it');
    expect(text).not.toContain('canary');
  });
});

describe('readEnvironment', () => {
  it('reads .env below the environment, and needs none', async () => {
    const folder = await mkdtemp(join(directory, 'env-'));
    expect(readEnvironment(folder)['PATH']).toBeDefined();
    await writeFile(join(folder, '.env'), '# comment\nQIZHI_USERNAME="ann b"\nPATH=/nowhere\n');
    const env = readEnvironment(folder);
    expect(env['QIZHI_USERNAME']).toBe('ann b');
    expect(env['PATH']).not.toBe('/nowhere');
  });

  it('tells of one that cannot be read', async () => {
    const folder = await mkdtemp(join(directory, 'env-'));
    await mkdir(join(folder, '.env'));
    expect(() => readEnvironment(folder)).toThrow(
      /\.env: found one that cannot be read \(EISDIR\).*run as its owner/,
    );
  });
});
