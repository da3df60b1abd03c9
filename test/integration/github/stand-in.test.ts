import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { verify } from '@octokit/webhooks-methods';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';

import { findTargets } from '../../../client/webhook/find-targets.ts';
import { createGithubClient } from '../../../infra/github/create-github-client.ts';
import { startGithubStandIn } from '../../../infra/lab/github/start-github-stand-in.ts';
import { type GithubLab, proposal, remote, repository, settingsOf, startLab } from './github-lab.ts';

let lab: GithubLab;
let number: number;
let headSha: string;

beforeAll(async () => {
  lab = await startLab();
  const input = await proposal(lab, 'stand-in');
  headSha = input.headSha;
  number = (await lab.activities.openPullRequest(input)).number;
});
afterAll(() => lab.close());

function listRefs(token: string) {
  const env = { GIT_TERMINAL_PROMPT: '0' };
  return execa('git', ['ls-remote', remote(lab.github, token)], { reject: false, env });
}

describe('git over HTTP', () => {
  it('lets in by token alone, and readers only to read', async () => {
    expect((await listRefs(lab.github.settings['GITHUB_PUSH_TOKEN'] ?? '')).exitCode).toBe(0);
    expect((await listRefs('wrong')).stderr).toContain('Authentication failed');
    expect(
      (await fetch(`${lab.github.url}/${repository}.git/info/refs?service=git-upload-pack`)).status,
    ).toBe(401);
    const push = `${lab.github.url}/${repository}.git/info/refs?service=git-receive-pack`;
    const authorization = `Basic ${Buffer.from(`any:${lab.github.tokens['reader']}`).toString('base64')}`;
    expect((await fetch(push, { headers: { authorization } })).status).toBe(403);
  });

  it('takes a push larger than its pipes', async () => {
    const sha = await lab.push('large', {
      'large.bin': Array.from({ length: 200_000 }, (_, index) => (index * 7919) % 10_007).join(' '),
    });
    expect(await lab.client.branchHead(repository, 'large')).toBe(sha);
  });
});

describe('refusals', () => {
  const path = `/repos/${repository}`;
  const pull = { title: 't', head: 'hephaestus/stand-in', base: 'main' };

  it.each([
    ['a wrong token', 'wrong', 'GET', path, undefined, 401, 'Bad credentials'],
    ['a repository that is not there', 'pi', 'GET', '/repos/lab/none', undefined, 404, 'Not Found'],
    ['a push token on the API', 'push', 'GET', path, undefined, 403, 'Resource not accessible'],
    ['a check run by a person', 'pi', 'POST', `${path}/check-runs`, {}, 403, 'GitHub App'],
    [
      'a second pull request',
      'pi',
      'POST',
      `${path}/pulls`,
      pull,
      422,
      'already exists for lab:hephaestus/stand-in',
    ],
    [
      'a missing base',
      'pi',
      'POST',
      `${path}/pulls`,
      { ...pull, base: undefined },
      422,
      '"field":"base","code":"missing_field"',
    ],
    [
      'a missing head',
      'pi',
      'POST',
      `${path}/pulls`,
      { ...pull, head: 'none' },
      422,
      '"field":"head","code":"invalid"',
    ],
    ['nothing to merge', 'pi', 'POST', `${path}/pulls`, { ...pull, head: 'main' }, 422, 'No commits between'],
    ['a reader who writes', 'reader', 'POST', `${path}/pulls`, pull, 403, 'Resource not accessible'],
    [
      'a reviewer that is no collaborator',
      'pi',
      'POST',
      `${path}/pulls/1/requested_reviewers`,
      { reviewers: ['copilot-pull-request-reviewer'] },
      422,
      'collaborator',
    ],
    [
      'another sha',
      'pi',
      'PUT',
      `${path}/pulls/1/merge`,
      { sha: 'a'.repeat(40), merge_method: 'squash' },
      409,
      'Head branch was modified',
    ],
    [
      'no sha at all',
      'pi',
      'PUT',
      `${path}/pulls/1/merge`,
      { sha: 'abc', merge_method: 'squash' },
      422,
      'exactly 40',
    ],
    [
      'a long comment',
      'pi',
      'POST',
      `${path}/issues/1/comments`,
      { body: 'x'.repeat(65_537) },
      422,
      'too long',
    ],
  ])('answers %s as GitHub does', async (_name, as, method, at, body, status, words) => {
    const user = as === 'push' ? (lab.github.settings['GITHUB_PUSH_TOKEN'] ?? '') : as;
    for (const prefix of ['', '/api/v3']) {
      const answer = await lab.ask(user, method, `${prefix}${at}`, body);
      expect(answer.status).toBe(status);
      expect(JSON.stringify(answer.data)).toContain(words);
      expect(answer.data).toMatchObject({ status: String(status), documentation_url: expect.any(String) });
    }
  });
});

describe('answers', () => {
  it('give mergeable late, and have the form that programs rely on', async () => {
    const User = z.object({ login: z.string(), id: z.int(), type: z.enum(['User', 'Bot', 'Organization']) });
    const End = z.object({
      ref: z.string(),
      sha: z.string().length(40),
      label: z.string(),
      repo: z.object({ full_name: z.string() }),
    });
    const Pull = z.object({
      id: z.int(),
      number: z.int(),
      state: z.enum(['open', 'closed']),
      title: z.string(),
      body: z.string().nullable(),
      user: User,
      head: End,
      base: End,
      merged: z.boolean(),
      mergeable: z.boolean().nullable(),
      mergeable_state: z.string(),
      requested_reviewers: z.array(User),
      created_at: z.iso.datetime(),
    });
    const at = `/repos/${repository}/pulls/${number}`;
    const first = Pull.parse((await lab.ask('pi', 'GET', at)).data);
    expect(first).toMatchObject({ mergeable: null, mergeable_state: 'unknown' });
    await vi.waitFor(async () =>
      expect((await lab.ask('pi', 'GET', at)).data).toMatchObject({
        mergeable: true,
        mergeable_state: 'draft',
      }),
    );
  });

  it('come in pages, with an ETag and the rate limit', async () => {
    for (let index = 0; index < 5; index += 1) {
      await lab.ask('pi', 'POST', `/repos/${repository}/issues/${number}/comments`, {
        body: `comment ${index}`,
      });
    }
    const headers = { authorization: `Bearer ${lab.github.tokens['pi']}` };
    const url = `${lab.github.url}/api/v3/repos/${repository}/issues/${number}/comments?per_page=2`;
    const first = await fetch(url, { headers });
    expect(first.headers.get('link')).toMatch(/page=2>; rel="next", <.*page=3>; rel="last"/);
    expect(Number(first.headers.get('x-ratelimit-remaining'))).toBeGreaterThan(0);
    const second = await fetch(url, {
      headers: { ...headers, 'if-none-match': first.headers.get('etag') ?? '' },
    });
    expect(second.status).toBe(304);
    // The client asks by ETag and sees the change all the same.
    expect(await lab.client.listComments(repository, number)).toHaveLength(5);
    expect(await lab.client.listComments(repository, number)).toHaveLength(5);
    await lab.ask('pi', 'POST', `/repos/${repository}/issues/${number}/comments`, { body: 'one more' });
    expect(await lab.client.listComments(repository, number)).toHaveLength(6);
  });

  it('are the same for a client of GitHub Enterprise, GraphQL included', async () => {
    const settings = settingsOf(lab.github);
    const client = createGithubClient({ ...settings, apiUrl: `${settings.apiUrl}/api/v3` });
    expect(await client.getPullRequest(repository, number)).toMatchObject({ number, headSha });
    expect(await client.listOpenThreads(repository, number)).toEqual([]);
    expect(await client.whoAmI()).toMatchObject({ login: 'hephaestus' });
  });
});

describe('webhooks', () => {
  it('are signed, named as GitHub names them, and told once', async () => {
    const heard: { headers: IncomingHttpHeaders; body: string }[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        heard.push({ headers: request.headers, body });
        response.writeHead(202).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    lab.github.addHook(`http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/github`);
    const events = () =>
      heard.map(({ headers, body }) => [
        headers['x-github-event'],
        (JSON.parse(body) as { action?: string }).action,
      ]);
    try {
      await lab.ask('pi', 'POST', `/repos/${repository}/issues/${number}/comments`, {
        body: '/hephaestus status',
      });
      await lab.ask('pi', 'POST', `/repos/${repository}/statuses/${headSha}`, {
        state: 'success',
        context: 'lint',
      });
      lab.github.setCheckRun(repository, {
        sha: headSha,
        name: 'tests',
        status: 'completed',
        conclusion: 'success',
      });
      await lab.push('hephaestus/stand-in', { 'new.py': 'x\n' }, 'hephaestus/stand-in');
      await lab.activities.requestReview({ repository, number, headSha: '' });
      await vi.waitFor(() => expect(events().map(([event]) => event)).toContain('pull_request_review'));
      expect(events()).toEqual([
        ['issue_comment', 'created'],
        ['status', undefined],
        ['check_run', 'completed'],
        ['push', undefined],
        ['pull_request', 'synchronize'],
        ['pull_request', 'review_requested'],
        ['pull_request_review', 'submitted'],
      ]);
      const secret = lab.github.settings['GITHUB_WEBHOOK_SECRET'] ?? '';
      for (const { headers, body } of heard) {
        // What the product makes of it: each is about the same experiment.
        const event = String(headers['x-github-event']);
        const { experimentIds, pullRequests } = findTargets(event, JSON.parse(body));
        // A comment names no branch: there is only the number to go by.
        const byNumber = event === 'issue_comment';
        expect(experimentIds).toEqual(byNumber ? [] : ['stand-in']);
        expect(pullRequests).toEqual(byNumber ? [`${repository}#${number}`] : []);
        expect(await verify(secret, body, String(headers['x-hub-signature-256']))).toBe(true);
        expect(headers['content-type']).toBe('application/json');
      }
      expect(new Set(heard.map(({ headers }) => headers['x-github-delivery'])).size).toBe(heard.length);
      const { issue, comment, sender } = JSON.parse(heard[0]?.body ?? '') as Record<string, object>;
      expect(issue).toMatchObject({ number, pull_request: { url: expect.any(String) } });
      expect(comment).toMatchObject({ body: '/hephaestus status', user: { login: 'pi', type: 'User' } });
      expect(sender).toMatchObject({ login: 'pi' });
    } finally {
      server.close();
    }
  });
});

describe('pages', () => {
  it('show what people look for, and nothing of what a comment tries to do', async () => {
    const body =
      'See **this** <script>alert(1)</script> <img src=x onerror=alert(1)> [x](javascript:alert(1)) ![p](https://elsewhere.example/p.png)\n\n| a |\n|---|\n| b |';
    await lab.ask('pi', 'POST', `/repos/${repository}/issues/${number}/comments`, { body });
    const get = async (path: string) => (await fetch(`${lab.github.url}${path}`)).text();
    const page = await get(`/${repository}/pull/${number}`);
    expect(page).toContain('<strong>this</strong>');
    expect(page).toContain('<table>');
    expect(page).not.toMatch(/<script|<img src=x|href="javascript/);
    expect(await get('/')).toContain(`/${repository}/pull/${number}`);
    expect(await get(`/${repository}`)).toContain('Digits');
    expect(await get(`/${repository}/commit/${headSha}`)).toContain('train.py');
    expect(await get(`/${repository}/blob/main/train.py`)).toContain('a = 1');
  });
});

describe('a restart', () => {
  it('goes on where it was, with the same tokens, and Copilot keeps its promises', async () => {
    const directory = join(lab.folder, 'restarted');
    const options = {
      directory,
      copilotDelayMs: 60_000,
      repositories: [{ owner: 'lab', name: 'digits', from: join(lab.folder, 'seed'), message: 'Begin' }],
    };
    const before = await startGithubStandIn(options);
    const client = createGithubClient(settingsOf(before));
    await execa('git', ['clone', '-q', remote(before, before.tokens['pi'] ?? ''), join(directory, 'work')]);
    const cwd = join(directory, 'work');
    await execa('git', ['checkout', '-q', '-b', 'change'], { cwd });
    await execa(
      'git',
      [
        '-c',
        'user.name=q',
        '-c',
        'user.email=q@example.org',
        'commit',
        '-q',
        '--allow-empty',
        '-m',
        'Change',
      ],
      { cwd },
    );
    await execa('git', ['push', '-q', 'origin', 'change'], { cwd });
    const pull = await client.createPullRequest(repository, {
      title: 't',
      body: 'b',
      head: 'change',
      base: 'main',
    });
    await client.requestReviewers(repository, pull.number, ['copilot-pull-request-reviewer[bot]']);
    await before.close();

    const after = await startGithubStandIn({ ...options, copilotDelayMs: 10 });
    try {
      expect(after.settings['GITHUB_TOKEN']).toBe(before.settings['GITHUB_TOKEN']);
      const again = createGithubClient(settingsOf(after));
      expect(await again.getPullRequest(repository, pull.number)).toMatchObject({
        headSha: pull.headSha,
        state: 'open',
      });
      await vi.waitFor(async () => expect(await again.listReviews(repository, pull.number)).toHaveLength(1));
    } finally {
      await after.close();
    }
  });
});
