import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';

import type { Finding } from '../../../client/doctor/finding.ts';
import { processEnvironment } from '../../../infra/env.ts';
import { startLab, type Lab } from '../../../infra/lab/start-lab.ts';
import { startDevServer, type DevServer } from '../../../infra/temporal/dev-server.ts';
import { toolEnvironment } from '../../../infra/tools/tool-environment.ts';
import { runIn } from '../../unit/client/run-in.ts';

let directory: string;
let server: DevServer;
let lab: Lab;
let silent: Server;
let silentUrl: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'doctor-'));
  await mkdir(join(directory, 'shared'));
  [server, lab] = await Promise.all([
    startDevServer({ temporal: inject('tools').temporal }),
    startLab({
      directory: join(directory, 'lab'),
      script: { plan: nothing, implement: () => ({ edits: [], summary: '' }), note: nothing },
    }),
  ]);
  // Takes every connection and never says a word.
  silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  const address = silent.address();
  silentUrl = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
});
afterAll(async () => {
  silent.close();
  await Promise.all([server.close(), lab.close()]);
  await rm(directory, { recursive: true, force: true });
});

const nothing = (): string => '';

interface Told {
  readonly code: number;
  readonly of: (system: string) => readonly Finding[];
  readonly ms: number;
  readonly all: string;
}

async function doctor(overrides: Record<string, string>, ...args: string[]): Promise<Told> {
  const env = {
    ...toolEnvironment(processEnvironment()),
    ...lab.settings,
    HEPHAESTUS_HOME: directory,
    TEMPORAL_ADDRESS: server.address,
    ...overrides,
  };
  const begun = Date.now();
  const { code, out, err } = await runIn(['doctor', '--json', ...args], { cwd: directory, env });
  const { findings } = JSON.parse(out) as { findings: Finding[] };
  return {
    code,
    ms: Date.now() - begun,
    all: out + err,
    of: (system) => findings.filter((finding) => finding.system === system),
  };
}

const statuses = (findings: readonly Finding[]): string[] => findings.map(({ status }) => status);

it('finds all well but what no worker has prepared yet', async () => {
  const { code, of } = await doctor({}, '--zone', 'local', 'control', 'networked');
  for (const system of [
    'configuration',
    'home',
    'github',
    'qizhi',
    'wandb',
    'models',
    'disk',
    'clock',
    'tools',
  ]) {
    expect({ system, of: statuses(of(system)) }).toEqual({ system, of: of(system).map(() => 'good') });
  }
  const temporal = of('temporal').map(({ what, status }) => `${status}: ${what}`);
  expect(temporal).toContainEqual(
    expect.stringContaining('bad: search attributes are missing: HephaestusPhase'),
  );
  expect(temporal).toContain('warning: queue qizhi: nobody polls it');
  expect(code).toBe(1);
});

it('tells what the credential of GitHub may do, and what is done without the rest', async () => {
  const { of } = await doctor({});
  const told = of('github').map(({ what }) => what);
  expect(told).toContainEqual(expect.stringMatching(/it can .*open pull requests.*merge/));
  expect(told).toContainEqual(
    expect.stringMatching(/to publish the gate as a check run: a commit status .*GITHUB_APP_ID/),
  );
});

it('never logs in twice, and tells a wrong password without it', async () => {
  const before = await logins();
  const { of, all } = await doctor({ QIZHI_PASSWORD: 'canary-password' });
  expect((await logins()) - before).toBe(1);
  expect(of('qizhi')).toMatchObject([
    { status: 'bad', what: expect.stringContaining('refused the login of "researcher"') },
  ]);
  expect(all).not.toContain('canary-password');
});

async function logins(): Promise<number> {
  const answer = await fetch(`${lab.qizhi.url}/_lab/stats`);
  const { logins: taken, refused } = (await answer.json()) as { logins: number; refused: number };
  return taken + refused;
}

describe('each system that is wrong or away', () => {
  it.each<[string, () => Record<string, string>, string, string]>([
    ['github', () => ({ GITHUB_TOKEN: 'nobody' }), 'bad', 'GITHUB_TOKEN'],
    ['wandb', () => ({ WANDB_API_KEY: 'nobody' }), 'bad', 'WANDB_API_KEY'],
    ['wandb', () => ({ WANDB_ENTITY: 'strangers' }), 'bad', 'strangers'],
    ['models', () => ({ GEMINI_API_KEY: 'nobody' }), 'bad', ''],
    ['temporal', () => ({ TEMPORAL_ADDRESS: '127.0.0.1:1' }), 'unreachable', '127.0.0.1:1'],
    ['temporal', () => ({ TEMPORAL_NAMESPACE: 'nowhere' }), 'bad', 'nowhere'],
    ['github', () => ({ GITHUB_API_URL: 'http://127.0.0.1:1' }), 'unreachable', ''],
    ['disk', () => ({ HEPHAESTUS_SHARED_DIR: '/nonexistent' }), 'bad', 'mkdir -p /nonexistent'],
    ['disk', () => ({ HEPHAESTUS_JOB_SHARED_DIR: '/inspire/shared' }), 'skipped', 'look from a job'],
    ['disk', () => ({ HEPHAESTUS_JOB_SHARED_DIR: tmpdir() }), 'bad', 'shows another disk'],
    ['configuration', () => ({ HEPHAESTUS_VAULTS: 'x' }), 'bad', 'HEPHAESTUS_VAULT'],
    ['wandb', () => ({ WANDB_API_KEY: '' }), 'skipped', 'WANDB_API_KEY'],
  ])('%s is told with what to do', async (system, overrides, status, words) => {
    const { of } = await doctor(overrides());
    const wrong = of(system).filter((finding) => finding.status === status);
    expect(wrong).not.toEqual([]);
    expect(JSON.stringify(wrong)).toContain(words);
    for (const { todo } of wrong) expect(todo).not.toBe('');
  });

  it('costs its time limit and no more when it hangs', async () => {
    const hanging = {
      GITHUB_API_URL: silentUrl,
      QIZHI_BASE_URL: silentUrl,
      WANDB_BASE_URL: silentUrl,
      OPENAI_BASE_URL: silentUrl,
    };
    const { code, of, ms } = await doctor(hanging, '--timeout', '2');
    expect(ms).toBeLessThan(15_000);
    for (const system of ['github', 'qizhi', 'wandb', 'clock'])
      expect([system, ...statuses(of(system))]).toEqual([
        system,
        system === 'clock' ? expect.stringMatching(/skipped|unreachable/) : 'unreachable',
      ]);
    expect(code).toBe(1);
  });

  it('names secrets that everybody may read', async () => {
    const path = join(directory, '.env');
    await writeFile(path, 'WANDB_API_KEY=canary-secret\n');
    await chmod(path, 0o644);
    const { of, all } = await doctor({});
    await rm(path);
    expect(of('configuration')).toMatchObject([{ status: 'bad', todo: `chmod 600 ${path}` }]);
    expect(all).not.toContain('canary-secret');
  });

  it('refuses a credential of a zone that this machine does not serve', async () => {
    const { of } = await doctor({}, '--zone', 'local');
    expect(of('configuration').map(({ what }) => what)).toContainEqual(
      expect.stringContaining('WANDB_API_KEY stands here'),
    );
  });
});
