import { sign } from 'node:crypto';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { execa } from 'execa';

import { createGithubActivities } from '../../../activities/github/create-github-activities.ts';
import type { GithubActivities, OpenPullRequestInput } from '../../../activities/github/interface.ts';
import { branchName } from '../../../domain/ids.ts';
import { createGithubClient } from '../../../infra/github/create-github-client.ts';
import type { GithubClient } from '../../../infra/github/github-client.ts';
import {
  type GithubStandIn,
  type GithubStandInOptions,
  startGithubStandIn,
} from '../../../infra/lab/github/start-github-stand-in.ts';
import { exampleNote } from '../../support/example-note.ts';

export const repository = 'lab/digits';

/** A stand-in with one small repository, and the product's client and activities against it. */
export interface GithubLab {
  readonly github: GithubStandIn;
  readonly folder: string;
  readonly client: GithubClient;
  readonly activities: GithubActivities;
  /** A commit on top of `from` with these files, pushed over HTTP; returns its id. */
  push(branch: string, files: Readonly<Record<string, string>>, from?: string): Promise<string>;
  /** A request to the REST API as a user of the lab. */
  ask(as: string, method: string, path: string, body?: unknown): Promise<{ status: number; data: never }>;
  /** A request to the lab's own API below `/_lab/`; throws when it is refused. */
  admin(method: string, path: string, body?: unknown): Promise<LabAnswer>;
  readonly installationId: string;
  /** What the lab's App signs in with. */
  appJwt(): string;
  /** A token of the App's installation, with all of its permissions or these. */
  appToken(permissions?: Readonly<Record<string, string>>): Promise<string>;
  close(): Promise<void>;
}

/** What the lab's own API tells, each of it where it is asked for. */
interface LabAnswer {
  readonly token: string;
  readonly counts: Readonly<Record<'sent' | 'dropped' | 'duplicated' | 'reordered', number>>;
  readonly routes: Readonly<Record<string, object>>;
}

export const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

export async function startLab(options: Partial<GithubStandInOptions> = {}): Promise<GithubLab> {
  const folder = await mkdtemp(join(tmpdir(), 'github-lab-'));
  await mkdir(join(folder, 'seed'));
  await writeFile(join(folder, 'seed', 'README.md'), '# Digits\n');
  await writeFile(join(folder, 'seed', 'train.py'), 'a = 1\nb = 2\nc = 3\n');
  const github = await startGithubStandIn({
    directory: join(folder, 'github'),
    copilotDelayMs: 20,
    repositories: [{ owner: 'lab', name: 'digits', from: join(folder, 'seed'), message: 'Begin' }],
    ...options,
  });
  const client = createGithubClient(settingsOf(github));
  let pushes = 0;
  const ask: GithubLab['ask'] = async (as, method, path, body) => {
    const answer = await fetch(`${github.url}${path}`, {
      method,
      headers: {
        ...(as !== '' && { authorization: `Bearer ${github.tokens[as] ?? as}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, data: (text === '' ? null : JSON.parse(text)) as never };
  };
  return {
    github,
    folder,
    client,
    activities: createGithubActivities({ github: client, draw: async () => picture }),
    async push(branch, files, from = 'main') {
      pushes += 1;
      const work = join(folder, `work-${pushes}`);
      const address = remote(github, github.settings['GITHUB_PUSH_TOKEN'] ?? '');
      const git = (...args: string[]) =>
        execa('git', ['-c', 'user.name=q', '-c', 'user.email=q@example.org', ...args], { cwd: work });
      await execa('git', ['clone', '-q', '--branch', from, address, work]);
      if (branch !== from) await git('checkout', '-q', '-b', branch);
      for (const [path, content] of Object.entries(files)) {
        await mkdir(dirname(join(work, path)), { recursive: true });
        await writeFile(join(work, path), content);
      }
      await git('add', '-A');
      await git('commit', '-q', '-m', 'Change');
      await git('push', '-q', 'origin', branch);
      return (await git('rev-parse', 'HEAD')).stdout;
    },
    ask,
    async admin(method, path, body) {
      const { status, data } = await ask('', method, path, body);
      if (status >= 300) throw new Error(`${method} ${path} was answered ${status}: ${JSON.stringify(data)}`);
      return data;
    },
    installationId: github.appSettings['GITHUB_APP_INSTALLATION_ID'] ?? '',
    appJwt: () => signJwt(github),
    async appToken(permissions) {
      const path = `/app/installations/${github.appSettings['GITHUB_APP_INSTALLATION_ID']}/access_tokens`;
      const { data } = await ask(signJwt(github), 'POST', path, { permissions });
      return (data as { token: string }).token;
    },
    async close() {
      await github.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** A JWT as GitHub asks for it, good for ten minutes unless `overrides` says else. */
export function signJwt(
  { appSettings }: GithubStandIn,
  overrides: Readonly<Record<string, unknown>> = {},
  key = appSettings['GITHUB_APP_PRIVATE_KEY'] ?? '',
): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iat: now - 30, exp: now + 570, iss: appSettings['GITHUB_APP_ID'], ...overrides };
  const unsigned = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${unsigned}.${sign('sha256', Buffer.from(unsigned), key).toString('base64url')}`;
}

export function settingsOf({ settings, url }: GithubStandIn, token = settings['GITHUB_TOKEN'] ?? '') {
  return { apiUrl: settings['GITHUB_API_URL'] ?? '', serverUrl: url, token };
}

export function remote({ url }: GithubStandIn, token: string): string {
  return `${url.replace('://', `://x-access-token:${token}@`)}/${repository}.git`;
}

/** A pushed branch and the input that opens its pull request. */
export async function proposal(
  lab: GithubLab,
  id: string,
  files: Readonly<Record<string, string>> = { 'train.py': `a = 1\nb = 2\nc = '${id}'\n` },
): Promise<OpenPullRequestInput> {
  const headSha = await lab.push(branchName(id), files);
  return {
    experimentId: id,
    note: exampleNote({ id, repository }),
    body: '## Why\nTo see.',
    headSha,
    summary: 'Changed the schedule.',
    environmentDigest: 'd'.repeat(64),
  };
}
