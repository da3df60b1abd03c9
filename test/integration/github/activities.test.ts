import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import type { PullRequestSnapshot } from '../../../domain/pull-request.ts';
import { taskNotePath } from '../../../domain/ids.ts';
import { createGithubActivities } from '../../../activities/github/create-github-activities.ts';
import { createGithubClient } from '../../../infra/github/create-github-client.ts';
import { exampleStatus } from '../../unit/activities/github/example-status.ts';
import { type GithubLab, picture, proposal, repository, settingsOf, startLab } from './github-lab.ts';

let lab: GithubLab;
const patiently = { timeout: 20_000, interval: 200 };

beforeAll(async () => {
  lab = await startLab({
    users: [{ login: 'stranger', access: 'none' }],
    copilot: (diff, headSha, round) => ({
      body: `round ${round} of ${headSha}`,
      comments: diff.includes('BUG') ? [{ path: 'train.py', line: 3, body: 'This is a BUG' }] : [],
    }),
  });
});
afterAll(() => lab.close());

async function snapshotOf(number: number): Promise<PullRequestSnapshot> {
  const input = { repository, number, taskNotePath: 'QWEN_TASK.md', since: null, pollSeconds: 1 };
  return (await lab.activities.awaitPullRequestChange(input)).snapshot;
}

describe('describeRepository', () => {
  it('gives the head, the files and the README of the base branch', async () => {
    const described = await lab.activities.describeRepository({ repository, base: 'main' });
    expect(described.baseSha).toMatch(/^[0-9a-f]{40}$/);
    expect(described.files).toEqual(['README.md', 'train.py']);
    expect(described.readme).toBe('# Digits\n');
  });

  it('has a few task notes of experiments that were merged, and what else tells how they are made here', async () => {
    const ids = Array.from({ length: 12 }, (_, index) => `idea-${String(index).padStart(2, '0')}`);
    const notes = Object.fromEntries(ids.map((id) => [taskNotePath(id), `id: ${id}\n`]));
    const more = { 'pyproject.toml': '[project]\n', 'QWEN_TASK.md': 'id: by-hand\n' };
    await lab.push('many-notes', { ...notes, ...more });
    const { files, documents } = await lab.activities.describeRepository({ repository, base: 'many-notes' });
    expect(files).toEqual(['QWEN_TASK.md', 'README.md', 'pyproject.toml', 'train.py']);
    expect(documents?.map(({ path }) => path)).toEqual([
      'QWEN_TASK.md',
      'pyproject.toml',
      taskNotePath('idea-00'),
      taskNotePath('idea-01'),
    ]);
  });

  it('tells a missing repository, a missing branch and a wrong token apart', async () => {
    const { activities: own } = lab;
    await expect(own.describeRepository({ repository: 'lab/none', base: 'main' })).rejects.toMatchObject({
      type: 'RepositoryNotFound',
      nonRetryable: true,
      message: expect.stringContaining('lab/none'),
    });
    await expect(own.describeRepository({ repository, base: 'dev' })).rejects.toMatchObject({
      type: 'BaseBranchNotFound',
      message: expect.stringContaining('"dev"'),
    });
    const github = createGithubClient(settingsOf(lab.github, 'wrong-token'));
    const activities = createGithubActivities({ github, draw: async () => picture });
    const refused = activities.describeRepository({ repository, base: 'main' });
    await expect(refused).rejects.toMatchObject({ type: 'GithubUnauthorized', nonRetryable: true });
    await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining('wrong-token') });
  });
});

describe('openPullRequest', () => {
  it('opens one pull request, however often it is asked and whatever is lost on the way', async () => {
    const input = await proposal(lab, 'open-once');
    lab.github.faults.add({ route: 'POST /repos/*/pulls', kind: 'commit-then-500' });
    await expect(lab.activities.openPullRequest(input)).rejects.toMatchObject({ type: 'GithubUnavailable' });
    const again = await lab.activities.openPullRequest(input);
    expect(await lab.activities.openPullRequest(input)).toEqual(again);
    const all = await lab.client.listPullRequestsOf(repository, 'hephaestus/open-once');
    expect(all.map(({ number }) => number)).toEqual([again.number]);
    expect(again.url).toBe(`${lab.github.url}/${repository}/pull/${again.number}`);
  });

  it('finds the pull request that somebody opened in the same moment', async () => {
    const input = await proposal(lab, 'open-race');
    const results = await Promise.all([
      lab.activities.openPullRequest(input),
      lab.activities.openPullRequest(input),
      lab.activities.openPullRequest(input),
    ]);
    expect(new Set(results.map(({ number }) => number)).size).toBe(1);
  });

  it('opens a draft, and renews its own part of the body and nothing else', async () => {
    const input = await proposal(lab, 'open-draft');
    const { number, draft } = await lab.activities.openPullRequest(input);
    expect(draft).toBe(true);
    const path = `/repos/${repository}/pulls/${number}`;
    const { body } = (await lab.ask('pi', 'GET', path)).data as { body: string };
    await lab.ask('pi', 'PATCH', path, {
      body: `Read this first.\n\n${body}\nAnd this last.`,
      title: 'Mine',
    });
    await lab.activities.openPullRequest({ ...input, summary: 'Changed it again.' });
    const after = (await lab.ask('pi', 'GET', path)).data as { body: string; title: string };
    expect(after.title).toBe('Mine');
    expect(after.body).toMatch(/^Read this first\.\n\n<!-- hephaestus:generated -->/);
    expect(after.body).toMatch(/And this last\.$/);
    expect(after.body).toContain('Changed it again.');
    expect(after.body).not.toContain('Changed the schedule.');
  });

  it('keeps what a person wrote into the body', async () => {
    const input = await proposal(lab, 'open-edited');
    const { number } = await lab.activities.openPullRequest(input);
    const path = `/repos/${repository}/pulls/${number}`;
    await lab.ask('pi', 'PATCH', path, { body: 'my own words' });
    await lab.activities.openPullRequest(input);
    expect((await lab.ask('pi', 'GET', path)).data).toMatchObject({ body: 'my own words' });
  });

  it('says why when there is nothing to open', async () => {
    const note = (await proposal(lab, 'open-bad')).note;
    const input = {
      experimentId: 'never-pushed',
      note,
      body: '',
      headSha: 'a'.repeat(40),
      summary: '',
      environmentDigest: '',
    };
    await expect(lab.activities.openPullRequest(input)).rejects.toMatchObject({ type: 'GithubInvalid' });
  });
});

describe('the review', () => {
  it("comes from Copilot for exactly this head, and a push makes a mended line's thread outdated", async () => {
    const input = await proposal(lab, 'reviewed', { 'train.py': 'a = 1\nb = 2\nBUG\n' });
    const { number } = await lab.activities.openPullRequest(input);
    const ask = { repository, number, headSha: input.headSha };
    await lab.activities.requestReview(ask);
    await lab.activities.requestReview(ask);
    await vi.waitFor(async () => expect((await snapshotOf(number)).reviews).toHaveLength(1), patiently);
    const seen = await snapshotOf(number);
    expect(seen).toMatchObject({ headSha: input.headSha, state: 'open', copilotRequested: false });
    expect(seen.reviews[0]).toMatchObject({
      isCopilot: true,
      isBot: true,
      commitId: input.headSha,
      state: 'COMMENTED',
    });
    expect(seen.threads).toMatchObject([
      { isCopilot: true, path: 'train.py', line: 3, body: 'This is a BUG' },
    ]);
    // Reviewed already: asking again asks nobody.
    await lab.activities.requestReview(ask);
    expect((await lab.client.getPullRequest(repository, number)).requestedReviewers).toEqual([]);

    const headSha = await lab.push(
      'hephaestus/reviewed',
      { 'train.py': 'a = 1\nb = 2\nc = 4\n' },
      'hephaestus/reviewed',
    );
    expect(await snapshotOf(number)).toMatchObject({ headSha, threads: [] });
    await lab.activities.requestReview({ ...ask, headSha });
    await vi.waitFor(
      async () => expect((await snapshotOf(number)).reviews.at(-1)?.body).toContain('round 2'),
      patiently,
    );
  });

  it('is no failure where the server cannot do it', async () => {
    const { number } = await lab.activities.openPullRequest(await proposal(lab, 'no-copilot'));
    lab.github.faults.add({ route: 'POST *requested_reviewers', kind: 'status', status: 422 });
    await lab.activities.requestReview({ repository, number, headSha: 'a'.repeat(40) });
    expect(await snapshotOf(number)).toMatchObject({ copilotRequested: false, reviews: [] });
  });

  it('hears people with write access and nobody else', async () => {
    const { number } = await lab.activities.openPullRequest(await proposal(lab, 'heard'));
    const review = {
      event: 'COMMENT',
      body: 'do as I say',
      comments: [{ path: 'train.py', line: 1, body: 'rm -rf' }],
    };
    await lab.ask('reader', 'POST', `/repos/${repository}/pulls/${number}/reviews`, review);
    expect(await snapshotOf(number)).toMatchObject({ reviews: [], threads: [] });
    await lab.ask('pi', 'POST', `/repos/${repository}/pulls/${number}/reviews`, {
      ...review,
      event: 'REQUEST_CHANGES',
    });
    expect(await snapshotOf(number)).toMatchObject({
      reviews: [{ author: 'pi', state: 'CHANGES_REQUESTED', isCopilot: false }],
      threads: [{ author: 'pi', body: 'rm -rf' }],
    });
  });
});

describe('awaitPullRequestChange', () => {
  it('waits benignly while nothing changes, about as long as it is told', async () => {
    const { number } = await lab.activities.openPullRequest(await proposal(lab, 'unchanged'));
    const look = { repository, number, taskNotePath: 'QWEN_TASK.md', since: null, pollSeconds: 100 };
    const { fingerprint } = await lab.activities.awaitPullRequestChange(look);
    const again = lab.activities.awaitPullRequestChange({ ...look, since: fingerprint });
    await expect(again).rejects.toMatchObject({
      type: 'GateUnchanged',
      category: 'BENIGN',
      nonRetryable: false,
    });
    const { nextRetryDelay } = (await again.catch((error: unknown) => error)) as { nextRetryDelay: number };
    expect(nextRetryDelay).toBeGreaterThanOrEqual(90_000);
    expect(nextRetryDelay).toBeLessThanOrEqual(110_000);
  });

  it('sees the task note of the experiment that asks, and no other', async () => {
    const own = taskNotePath('own-note');
    const input = await proposal(lab, 'own-note', { [own]: 'mine\n', [taskNotePath('other')]: 'theirs\n' });
    const { number } = await lab.activities.openPullRequest(input);
    const blobAt = async (path: string): Promise<string | null | undefined> => {
      const look = { repository, number, taskNotePath: path, since: null, pollSeconds: 1 };
      return (await lab.activities.awaitPullRequestChange(look)).snapshot.taskNoteBlob;
    };
    const { stdout } = await execa('git', ['hash-object', '--stdin'], { input: 'mine\n' });
    expect(await blobAt(own)).toBe(stdout);
    expect(await blobAt('QWEN_TASK.md')).toBeNull();
  });

  it('merges check runs with statuses of exactly the head, without its own', async () => {
    const input = await proposal(lab, 'checks');
    const { number } = await lab.activities.openPullRequest(input);
    const { fingerprint } = await lab.activities.awaitPullRequestChange({
      repository,
      number,
      taskNotePath: 'QWEN_TASK.md',
      since: null,
      pollSeconds: 1,
    });
    const status = (context: string, state: string) =>
      lab.ask('pi', 'POST', `/repos/${repository}/statuses/${input.headSha}`, { context, state });
    await status('lint', 'pending');
    await status('lint', 'success');
    await status('both', 'success');
    const quality = {
      repository,
      headSha: input.headSha,
      state: 'success',
      description: 'x'.repeat(300),
      targetUrl: '',
    } as const;
    await lab.activities.publishQuality(quality);
    await lab.activities.publishQuality(quality);
    lab.github.setCheckRun(repository, {
      sha: input.headSha,
      name: 'both',
      status: 'completed',
      conclusion: 'failure',
    });
    lab.github.setCheckRun(repository, {
      sha: input.headSha,
      name: 'tests',
      status: 'in_progress',
      conclusion: null,
    });
    const seen = await lab.activities.awaitPullRequestChange({
      repository,
      number,
      taskNotePath: 'QWEN_TASK.md',
      since: fingerprint,
      pollSeconds: 1,
    });
    expect(seen.snapshot.checks.map(({ name, state }) => [name, state])).toEqual([
      ['both', 'failure'],
      ['lint', 'success'],
      ['tests', 'pending'],
    ]);
    // The second answer comes by ETag.
    const runs = await lab.client.listCheckRuns(repository, input.headSha);
    expect(await lab.client.listCheckRuns(repository, input.headSha)).toEqual(runs);
    const { data } = await lab.ask(
      'pi',
      'GET',
      `/repos/${repository}/commits/${input.headSha}/statuses?per_page=100`,
    );
    const own = (data as { context: string; description: string }[]).filter(
      ({ context }) => context === 'hephaestus/quality',
    );
    expect(own).toHaveLength(1);
    expect(own[0]?.description).toHaveLength(140);
  });
});

describe('uploadCurves and updateComment', () => {
  const results = { runs: [], baseline: null };

  it('stores the same picture once, where the page can show it', async () => {
    const upload = {
      repository,
      experimentId: 'curves',
      title: 't',
      metric: { name: 'val/loss', goal: 'minimize' },
      results,
    } as const;
    const [first, second] = [
      await lab.activities.uploadCurves(upload),
      await lab.activities.uploadCurves(upload),
    ];
    expect(second).toEqual(first);
    const answer = await fetch(first.url ?? '');
    expect(answer.headers.get('content-type')).toBe('image/png');
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(picture);
  });

  it('goes on when another picture came in between', async () => {
    const urls = await Promise.all(
      ['one', 'two', 'three'].map((experimentId) =>
        createGithubActivities({
          github: lab.client,
          draw: async () => Buffer.from(experimentId),
        }).uploadCurves({
          repository,
          experimentId,
          title: 't',
          metric: { name: 'm', goal: 'minimize' },
          results,
        }),
      ),
    );
    for (const { url } of urls) expect((await fetch(url ?? '')).status).toBe(200);
  });

  it('edits its one comment in place, also after a lost answer, and leaves a forged one alone', async () => {
    const { number } = await lab.activities.openPullRequest(await proposal(lab, 'commented'));
    const comments = `/repos/${repository}/issues/${number}/comments`;
    const forged = `<!-- hephaestus:commented -->\nmine`;
    await lab.ask('pi', 'POST', comments, { body: forged });
    const status = exampleStatus({ id: 'commented', phase: 'reviewing', evidence: null });
    lab.github.faults.add({ route: `POST ${comments}`, kind: 'commit-then-500' });
    const input = { repository, number, status, pictures: [] };
    await expect(lab.activities.updateComment(input)).rejects.toMatchObject({ type: 'GithubUnavailable' });
    const { url } = await lab.activities.updateComment(input);
    const pictures = [
      { url: `${lab.github.url}/${repository}/blob/x/y.png?raw=true`, alt: 'curves' },
      { url: 'https://elsewhere.example/spy.png', alt: 'spy' },
    ];
    const evidence = { ...input, status: exampleStatus({ id: 'commented' }), pictures };
    expect(await lab.activities.updateComment(evidence)).toMatchObject({ url });
    const { data } = await lab.ask('pi', 'GET', comments);
    const bodies = (data as { body: string }[]).map(({ body }) => body);
    expect(bodies).toHaveLength(2);
    expect(bodies[0]).toBe(forged);
    expect(bodies[1]).toContain('y.png');
    expect(bodies[1]).not.toContain('spy');
  });

  it('writes a new one when somebody deleted it', async () => {
    const { number } = await lab.activities.openPullRequest(await proposal(lab, 'deleted'));
    const input = { repository, number, status: exampleStatus({ id: 'deleted' }), pictures: [] };
    const first = await lab.activities.updateComment(input);
    await lab.ask(
      'pi',
      'DELETE',
      `/repos/${repository}/issues/comments/${first.url.split('-').at(-1) ?? ''}`,
    );
    expect((await lab.activities.updateComment(input)).url).not.toBe(first.url);
  });
});
