import { generateKeyPairSync } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createGithubClient } from '../../../infra/github/create-github-client.ts';
import { githubFeatures } from '../../../infra/github/features.ts';
import type { GithubSettings } from '../../../infra/settings.ts';
import {
  type GithubLab,
  picture,
  proposal,
  repository,
  settingsOf,
  signJwt,
  startLab,
} from './github-lab.ts';

let lab: GithubLab;
let app: NonNullable<GithubSettings['app']>;

beforeAll(async () => {
  lab = await startLab();
  const {
    GITHUB_APP_ID: id,
    GITHUB_APP_PRIVATE_KEY: privateKey = '',
    GITHUB_APP_INSTALLATION_ID: installation,
  } = lab.github.appSettings;
  app = { id: Number(id), privateKey, installationId: Number(installation) };
});
afterAll(() => lab.close());

function clientWith(credentials: Pick<GithubSettings, 'token' | 'app'>) {
  const { apiUrl, serverUrl } = settingsOf(lab.github);
  return createGithubClient({ apiUrl, serverUrl, uploadsUrl: lab.github.url, ...credentials });
}

async function states(credentials: Pick<GithubSettings, 'token' | 'app'>): Promise<Record<string, string>> {
  const features = await githubFeatures(clientWith(credentials), repository);
  return Object.fromEntries(features.map(({ id, state, by }) => [id, `${state} ${by ?? 'nobody'}`]));
}

describe('a GitHub App', () => {
  it('signs in, writes check runs under its own name, and renews nothing that is still good', async () => {
    const client = clientWith({ app });
    const { headSha } = await proposal(lab, 'by-app');
    await lab.admin('DELETE', '/_lab/stats');
    expect(await client.whoAmI()).toMatchObject({ login: 'hephaestus-lab[bot]' });
    const run = { name: 'hephaestus/quality', detailsUrl: '', title: 'Good', summary: 'All of it.' };
    expect(await client.publishCheckRun(repository, headSha, { ...run, conclusion: null })).toBe(true);
    expect(await client.publishCheckRun(repository, headSha, { ...run, conclusion: 'success' })).toBe(true);
    const checks = await client.listCheckRuns(repository, headSha);
    expect(checks).toMatchObject([{ name: 'hephaestus/quality', state: 'success' }]);
    const stats = await lab.admin('GET', '/_lab/stats');
    expect(stats.routes['POST /app/installations/:id/access_tokens']).toEqual({ 201: 1 });
  });

  it.each([
    [
      'another key',
      {},
      generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
    ],
    ['an hour of life', { exp: Math.floor(Date.now() / 1000) + 3600 }, undefined],
    ['a time that is over', { iat: 1, exp: 2 }, undefined],
  ])('is refused with %s', async (_what, claims, key) => {
    const jwt = signJwt(lab.github, claims, key?.toString());
    expect((await lab.ask(jwt, 'GET', '/app')).status).toBe(401);
  });

  it('may do no more than its installation was given', async () => {
    const token = await lab.appToken({ contents: 'read', metadata: 'read' });
    const refused = await lab.ask(token, 'POST', `/repos/${repository}/git/blobs`, { content: 'x' });
    expect(refused).toMatchObject({
      status: 403,
      data: { message: 'Resource not accessible by integration' },
    });
  });
});

describe('the table of features', () => {
  it('is told of an App, a classic token, and both', async () => {
    const token = lab.github.tokens['hephaestus'] ?? '';
    expect(await states({ app })).toMatchObject({
      merge: 'yes app',
      'check-run': 'yes app',
      'request-copilot': 'no nobody',
      'upload-picture': 'no nobody',
    });
    expect(await states({ token })).toMatchObject({
      merge: 'yes token',
      'check-run': 'no nobody',
      'request-copilot': 'yes token',
      'upload-picture': 'yes token',
    });
    const both = await states({ app, token });
    expect(new Set(Object.values(both))).toEqual(new Set(['yes app', 'yes token']));
  });

  it('says what is missing, and what cannot be told', async () => {
    const small = await lab.admin('POST', '/_lab/tokens', { login: 'hephaestus', scopes: ['repo:status'] });
    const public_ = await githubFeatures(clientWith({ token: small.token }));
    const find = (id: string) => public_.find((feature) => feature.id === id);
    expect(find('status')).toMatchObject({ state: 'yes' });
    expect(find('merge')).toMatchObject({
      state: 'no',
      missing: 'the token needs the scope repo, and has repo:status',
    });
    const fine = await lab.admin('POST', '/_lab/tokens', { login: 'hephaestus', kind: 'fine-grained' });
    expect(await states({ token: fine.token })).toMatchObject({
      merge: 'unknown token',
      'check-run': 'no nobody',
    });
    expect(await states({ token: lab.github.tokens['reader'] })).toMatchObject({
      merge: 'no token',
      comment: 'yes token',
    });
  });

  it('is what really happens: a picture goes up by the token and not by the App', async () => {
    const attachment = { name: 'curves.png', contentType: 'image/png', bytes: picture };
    expect(await clientWith({ app }).uploadAttachment(repository, attachment)).toBeNull();
    const token = lab.github.tokens['hephaestus'];
    const url = await clientWith({ app, token }).uploadAttachment(repository, attachment);
    const answer = await fetch(url ?? '');
    expect(answer.headers.get('content-type')).toBe('image/png');
    expect(Buffer.from(await answer.arrayBuffer()).equals(picture)).toBe(true);
  });
});

it('gives up on an answer that does not come', async () => {
  const settings = { ...settingsOf(lab.github), app };
  const client = createGithubClient(settings, { timeoutMs: 300 });
  lab.github.faults.add({ route: `GET /repos/${repository}/branches/main`, kind: 'delay', delayMs: 10_000 });
  const began = performance.now();
  await expect(client.branchHead(repository, 'main')).rejects.toMatchObject({ type: 'GithubUnavailable' });
  expect(performance.now() - began).toBeLessThan(8000);
});

describe('limits', () => {
  it('become a time to wait, during which nothing is sent', async () => {
    const client = clientWith({ token: lab.github.tokens['hephaestus'] });
    lab.github.faults.add({
      route: `GET /repos/${repository}/branches/main`,
      kind: 'primary-limit',
      retryAfterSeconds: 60,
    });
    const limited = client.branchHead(repository, 'main');
    await expect(limited).rejects.toMatchObject({
      type: 'GithubRateLimited',
      retryAfterMs: expect.closeTo(60_000, -4),
    });
    await lab.admin('DELETE', '/_lab/stats');
    await expect(client.checkRepository(repository)).rejects.toMatchObject({ type: 'GithubRateLimited' });
    expect(await lab.admin('GET', '/_lab/stats')).toMatchObject({ requests: 0 });
  });

  it('are not spent by looking again at what has not changed', async () => {
    const client = clientWith({ token: lab.github.tokens['pi'] });
    await client.branchHead(repository, 'main');
    const { data } = await lab.ask('pi', 'GET', '/rate_limit');
    const { used } = (data as { rate: { used: number } }).rate;
    // One request is left, and five looks.
    await lab.admin('PUT', '/_lab/rate', { limit: used + 1 });
    try {
      for (let look = 0; look < 5; look += 1) await client.branchHead(repository, 'main');
      await client.checkRepository(repository);
      await expect(client.listFiles(repository, 'main')).rejects.toMatchObject({ type: 'GithubRateLimited' });
    } finally {
      await lab.admin('DELETE', '/_lab/rate');
    }
  });
});
