import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { type GithubLab, proposal, repository, startLab } from './github-lab.ts';

const at = `/repos/${repository}`;
const admin = `/_lab/repositories/${repository}`;
let lab: GithubLab;

beforeAll(async () => {
  lab = await startLab();
});
afterAll(() => lab.close());

async function open(id: string, draft = false): Promise<{ number: number; sha: string; node: string }> {
  const { headSha } = await proposal(lab, id);
  const { data } = await lab.ask('hephaestus', 'POST', `${at}/pulls`, {
    title: id,
    head: `hephaestus/${id}`,
    base: 'main',
    draft,
  });
  const { number, node_id } = data as { number: number; node_id: string };
  return { number, sha: headSha, node: node_id };
}

function merge(number: number, sha: string, as = 'hephaestus') {
  return lab.ask(as, 'PUT', `${at}/pulls/${number}/merge`, { merge_method: 'squash', sha });
}

describe('a protected branch', () => {
  it('takes nothing without its reviews and checks, and says which in GitHub’s words', async () => {
    const { number, sha } = await open('protected');
    await lab.admin('PUT', `${admin}/protection/main`, { requiredReviews: 1, requiredChecks: ['tests'] });
    expect(await merge(number, sha)).toMatchObject({
      status: 405,
      data: { message: 'At least 1 approving review is required by reviewers with write access.' },
    });
    const approve = { event: 'APPROVE' };
    await lab.ask('reader', 'POST', `${at}/pulls/${number}/reviews`, approve);
    expect((await merge(number, sha)).status).toBe(405);
    await lab.ask('pi', 'POST', `${at}/pulls/${number}/reviews`, approve);
    expect(await merge(number, sha)).toMatchObject({
      data: { message: 'Required status check "tests" is expected.' },
    });
    await lab.admin('POST', `${admin}/check-runs`, {
      sha,
      name: 'tests',
      status: 'completed',
      conclusion: 'failure',
    });
    expect(await merge(number, sha)).toMatchObject({
      data: { message: 'Required status check "tests" is failing.' },
    });
    await lab.admin('POST', `${admin}/check-runs`, {
      sha,
      name: 'tests',
      status: 'completed',
      conclusion: 'success',
    });
    await lab.admin('PUT', `${admin}/protection/main`, { mergeQueue: true });
    const queued = await merge(number, sha);
    expect(queued).toMatchObject({
      status: 405,
      data: { message: expect.stringContaining('through the merge queue') },
    });
    await lab.admin('DELETE', `${admin}/protection/main`);
    expect((await merge(number, sha)).status).toBe(200);
  });

  it('takes no draft until it is ready', async () => {
    const { number, sha, node } = await open('draft', true);
    expect(await merge(number, sha)).toMatchObject({
      status: 405,
      data: { message: 'Pull Request is still a draft' },
    });
    const ready = `mutation { markPullRequestReadyForReview(input: { pullRequestId: "${node}" }) { pullRequest { isDraft } } }`;
    const answer = await lab.ask('hephaestus', 'POST', '/graphql', { query: ready });
    expect(answer.data).toMatchObject({
      data: { markPullRequestReadyForReview: { pullRequest: { isDraft: false } } },
    });
    expect((await merge(number, sha)).status).toBe(200);
  });
});

describe('people', () => {
  it('lose what they may do at once', async () => {
    const given = await lab.admin('PUT', `${admin}/collaborators/postdoc`, { access: 'write' });
    const token = given.token;
    const permission = () => lab.ask('pi', 'GET', `${at}/collaborators/postdoc/permission`);
    expect(await permission()).toMatchObject({ data: { permission: 'write' } });
    await lab.admin('DELETE', `${admin}/collaborators/postdoc`);
    expect(await permission()).toMatchObject({ data: { permission: 'none' } });
    expect((await lab.ask(token, 'GET', at)).status).toBe(404);
    await lab.admin('DELETE', `/_lab/tokens/${token}`);
    expect((await lab.ask(token, 'GET', '/user')).status).toBe(401);
  });

  it('propose from a fork what they may not push, and a push there moves the pull request', async () => {
    const { data: forked } = await lab.ask('reader', 'POST', `${at}/forks`);
    expect(forked).toMatchObject({ full_name: 'reader/digits', fork: true });
    const address = `${lab.github.url.replace('://', `://x:${lab.github.tokens['reader']}@`)}/reader/digits.git`;
    const cwd = `${lab.folder}/fork`;
    await execa('git', ['clone', '-q', address, cwd]);
    const commit = async (name: string): Promise<string> => {
      const who = ['-c', 'user.name=r', '-c', 'user.email=r@example.org'];
      await execa('git', [...who, 'commit', '-q', '--allow-empty', '-m', name], { cwd });
      await execa('git', ['push', '-q', 'origin', 'HEAD:idea'], { cwd });
      return (await execa('git', ['rev-parse', 'HEAD'], { cwd })).stdout;
    };
    await commit('One');
    const opened = await lab.ask('reader', 'POST', `${at}/pulls`, {
      title: 'Idea',
      head: 'reader:idea',
      base: 'main',
    });
    expect(opened).toMatchObject({
      status: 201,
      data: { head: { repo: { full_name: 'reader/digits' }, label: 'reader:idea' } },
    });
    const { number } = opened.data as { number: number };
    const second = await commit('Two');
    expect(await lab.client.getPullRequest(repository, number)).toMatchObject({
      headSha: second,
      headRepository: 'reader/digits',
    });
  });
});

it('finds a renamed repository by its former name, for reading and for writing', async () => {
  const { number, sha } = await open('renamed');
  await lab.admin('POST', `${admin}/rename`, { name: 'numbers' });
  try {
    const answer = await fetch(`${lab.github.url}${at}`, {
      redirect: 'manual',
      headers: { authorization: `Bearer ${lab.github.tokens['pi']}` },
    });
    expect(answer.status).toBe(301);
    expect(answer.headers.get('location')).toMatch(/\/repositories\/\d+$/);
    await lab.client.createStatus(repository, sha, {
      state: 'success',
      context: 'x',
      description: '',
      targetUrl: '',
    });
    expect(await lab.client.listStatuses('lab/numbers', sha)).toMatchObject([{ context: 'x' }]);
    expect(await lab.client.createComment(repository, number, 'Still here')).toMatchObject({
      body: 'Still here',
    });
  } finally {
    await lab.admin('POST', '/_lab/repositories/lab/numbers/rename', { name: 'digits' });
  }
});

it('loses, doubles and reorders webhooks as it is told to', async () => {
  const heard: string[] = [];
  const server = createServer((request, response) => {
    heard.push(String(request.headers['x-github-delivery']));
    request.resume().on('end', () => response.writeHead(202).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { number } = await open('hooks');
    lab.github.addHook(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await lab.admin('PUT', '/_lab/webhooks', { drop: 0.2, duplicate: 0.3, reorder: 0.3, seed: 5 });
    for (let index = 0; index < 30; index += 1) {
      await lab.ask('pi', 'POST', `${at}/issues/${number}/comments`, { body: `${index}` });
    }
    const settled = async () => (await lab.admin('GET', '/_lab/webhooks')).counts;
    await vi.waitFor(async () => {
      const { sent, dropped, duplicated } = await settled();
      expect(sent + dropped).toBe(30);
      expect(heard).toHaveLength(sent + duplicated);
    }, 15_000);
    const { dropped, duplicated, reordered } = await settled();
    expect(Math.min(dropped, duplicated, reordered)).toBeGreaterThan(0);
    expect(new Set(heard).size).toBe(30 - dropped);
  } finally {
    await lab.admin('DELETE', '/_lab/webhooks');
    server.close();
  }
});

it('lets a person act from the page as whom they chose, and as nobody from elsewhere', async () => {
  const { number, sha } = await open('page');
  const page = `${lab.github.url}/${repository}/pull/${number}`;
  const press = (action: string, fields: Record<string, string>, login: string, origin?: string) =>
    fetch(`${page}/${action}`, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie: `lab_user=${login}`, ...(origin !== undefined && { origin }) },
      body: new URLSearchParams(fields),
    });
  expect((await press('merge', { sha }, 'reader')).headers.get('location')).toContain(
    'refused=reader%20may%20not',
  );
  expect((await press('comments', { body: 'x' }, 'pi', 'https://elsewhere.example')).status).toBe(403);
  await press('comments', { body: '/hephaestus status' }, 'pi');
  await press('review', { verdict: 'approve', body: 'Good.' }, 'pi');
  const text = await (await fetch(page, { headers: { cookie: 'lab_user=reader' } })).text();
  expect(text).toContain('/hephaestus status');
  expect(text).toMatch(/<option selected>reader/);
  expect(text).toContain('approved');
  expect((await press('merge', { sha }, 'pi')).headers.get('location')).not.toContain('refused');
  expect(await lab.client.getPullRequest(repository, number)).toMatchObject({
    state: 'merged',
    headSha: sha,
  });
});
