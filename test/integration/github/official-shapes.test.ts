import { afterAll, beforeAll, expect, it, vi } from 'vitest';

import { operations } from '../../support/github-openapi/operations.ts';
import { createAnswerChecker } from '../../support/github-openapi/answer-checker.ts';
import { type GithubLab, proposal, repository, startLab } from './github-lab.ts';

const checker = createAnswerChecker();
let lab: GithubLab;

beforeAll(async () => {
  lab = await startLab({ observe: (answered) => checker.check(answered) });
});
afterAll(() => lab.close());

interface Answered {
  readonly sha: string;
  readonly id: number;
  readonly number: number;
  readonly mergeable: boolean | null;
}

/** One request of each kind: what the checker cannot see, it cannot compare. */
it('answers everything in use as the official description of GitHub has it', async () => {
  const at = `/repos/${repository}`;
  const { headSha, experimentId } = await proposal(lab, 'shapes');
  const head = `hephaestus/${experimentId}`;
  const as = async (user: string, method: string, path: string, body?: unknown): Promise<Answered> => {
    const { status, data } = await lab.ask(user, method, path, body);
    expect(status, `${method} ${path}: ${JSON.stringify(data)}`).toBeLessThan(300);
    return data;
  };
  const ask = (method: string, path: string, body?: unknown) => as('pi', method, path, body);
  const { number } = await ask('POST', `${at}/pulls`, { title: 'Shapes', head, base: 'main', draft: false });
  const protection = { requiredReviews: 1, requiredChecks: ['tests'], mergeQueue: true };
  await lab.admin('PUT', `/_lab/repositories/${repository}/protection/main`, protection);

  for (const path of [
    '',
    '/branches/main',
    '/branches/main/protection',
    '/rules/branches/main',
    '/readme',
    '/labels',
  ]) {
    await ask('GET', `${at}${path}`);
  }
  await ask('GET', `${at}/contents/train.py`);
  await ask('GET', `${at}/collaborators/hephaestus/permission`);
  await ask('GET', `${at}/git/trees/main?recursive=1`);
  const blob = await ask('POST', `${at}/git/blobs`, { content: 'hello\n' });
  await ask('GET', `${at}/git/blobs/${blob.sha}`);
  const tree = await ask('POST', `${at}/git/trees`, {
    tree: [{ path: 'a.txt', mode: '100644', type: 'blob', sha: blob.sha }],
  });
  const commit = await ask('POST', `${at}/git/commits`, { message: 'A', tree: tree.sha, parents: [] });
  await ask('GET', `${at}/git/commits/${commit.sha}`);
  await ask('POST', `${at}/git/refs`, { ref: 'refs/heads/asset', sha: commit.sha });
  await ask('GET', `${at}/git/ref/heads/asset`);
  await ask('PATCH', `${at}/git/refs/heads/asset`, { sha: commit.sha, force: true });
  await ask('POST', `${at}/labels`, { name: 'experiment', color: '0e8a16' });
  await ask('GET', `${at}/labels`);

  await ask('POST', `${at}/issues/${number}/labels`, { labels: ['experiment'] });
  await ask('GET', `${at}/issues/${number}/labels`);
  const comment = await ask('POST', `${at}/issues/${number}/comments`, { body: 'Hello' });
  await ask('POST', `${at}/issues/comments/${comment.id}/reactions`, { content: 'eyes' });
  await ask('GET', `${at}/issues/comments/${comment.id}/reactions`);
  await ask('PATCH', `${at}/issues/comments/${comment.id}`, { body: 'Hello again' });
  await ask('GET', `${at}/issues/comments/${comment.id}`);
  await ask('GET', `${at}/issues/${number}/comments`);
  await ask('GET', `${at}/issues/${number}`);
  await ask('DELETE', `${at}/issues/${number}/labels/experiment`);

  await ask('POST', `${at}/pulls/${number}/requested_reviewers`, {
    reviewers: ['copilot-pull-request-reviewer[bot]', 'hephaestus'],
  });
  await as('hephaestus', 'POST', `${at}/pulls/${number}/reviews`, {
    event: 'COMMENT',
    body: 'See.',
    comments: [{ path: 'train.py', line: 1, body: 'Here.' }],
  });
  await vi.waitFor(
    async () => expect((await ask('GET', `${at}/pulls/${number}`)).mergeable).toBe(true),
    10_000,
  );
  await ask('PATCH', `${at}/pulls/${number}`, { body: 'More words.' });
  for (const path of ['reviews', 'comments', 'commits', 'files'])
    await ask('GET', `${at}/pulls/${number}/${path}`);
  await ask('GET', `${at}/pulls?state=all`);

  await ask('POST', `${at}/statuses/${headSha}`, { state: 'success', context: 'lint', description: 'Clean' });
  for (const path of ['', '/status', '/statuses']) await ask('GET', `${at}/commits/${headSha}${path}`);
  const app = await lab.appToken();
  const run = await as(app, 'POST', `${at}/check-runs`, {
    name: 'tests',
    head_sha: headSha,
    status: 'in_progress',
  });
  await as(app, 'PATCH', `${at}/check-runs/${run.id}`, {
    conclusion: 'success',
    output: { title: 'Good', summary: 'All.' },
  });
  await ask('GET', `${at}/check-runs/${run.id}`);
  await ask('GET', `${at}/commits/${headSha}/check-runs`);
  await as(app, 'GET', '/installation/repositories');

  const hook = await ask('POST', `${at}/hooks`, {
    config: { url: 'http://127.0.0.1:9/x', content_type: 'json' },
    events: ['*'],
  });
  await ask('GET', `${at}/hooks`);
  await ask('POST', `${at}/issues/${number}/comments`, { body: 'For the hook' });
  await vi.waitFor(
    async () => expect(await ask('GET', `${at}/hooks/${hook.id}/deliveries`)).not.toHaveLength(0),
    10_000,
  );

  await as('reader', 'POST', `${at}/forks`);
  await lab.admin('DELETE', `/_lab/repositories/${repository}/protection/main`);
  await ask('PUT', `${at}/pulls/${number}/merge`, { merge_method: 'squash', sha: headSha });
  for (const path of ['/user', '/users/reader', '/rate_limit']) await ask('GET', path);
  const jwt = lab.appJwt();
  for (const path of ['/app', `/app/installations/${lab.installationId}`, `${at}/installation`]) {
    await as(jwt, 'GET', path);
  }

  expect(checker.problems).toEqual([]);
  expect(operations.filter((operation) => !checker.seen.has(operation))).toEqual([]);
});
