import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import type { MergeInput } from '../../../activities/github/interface.ts';
import { createGithubClient } from '../../../infra/github/create-github-client.ts';
import { type GithubLab, proposal, remote, repository, settingsOf, startLab } from './github-lab.ts';

let lab: GithubLab;

beforeAll(async () => {
  lab = await startLab();
});
afterAll(() => lab.close());

/** An open pull request that changes a file of its own. */
async function opened(id: string, file = `${id}.py`): Promise<MergeInput> {
  const input = await proposal(lab, id, { [file]: `name = '${id}'\n` });
  const { number } = await lab.activities.openPullRequest(input);
  await lab.activities.markReady({ repository, number });
  return {
    repository,
    number,
    headSha: input.headSha,
    title: `Try ${id} (#${number})`,
    message: 'Better.\n\nHephaestus-Experiment: x',
  };
}

async function commitsOfMain(): Promise<string[]> {
  const { data } = await lab.ask('pi', 'GET', `/repos/${repository}/commits/main`);
  const { sha, commit, parents } = data as {
    sha: string;
    commit: { message: string };
    parents: { sha: string }[];
  };
  return [sha, commit.message, String(parents.length)];
}

describe('mergePullRequest', () => {
  it('squashes the head that was shown, reads it back, and deletes the branch', async () => {
    const input = await opened('plain');
    const { mergeSha } = await lab.activities.mergePullRequest(input);
    expect(await commitsOfMain()).toEqual([mergeSha, `${input.title}\n\n${input.message}`, '1']);
    expect(await lab.client.getPullRequest(repository, input.number)).toMatchObject({
      state: 'merged',
      mergeCommitSha: mergeSha,
    });
    const refs = await execa('git', ['ls-remote', remote(lab.github, lab.github.tokens['pi'] ?? '')]);
    expect(refs.stdout).not.toContain('hephaestus/plain');
    // Again, as after a crash.
    expect(await lab.activities.mergePullRequest(input)).toEqual({ mergeSha });
  });

  it('finds its own merge when the answer was lost', async () => {
    const input = await opened('lost');
    lab.github.faults.add({ route: 'PUT */merge', kind: 'commit-then-drop' });
    await expect(lab.activities.mergePullRequest(input)).rejects.toMatchObject({
      type: 'GithubUnavailable',
      nonRetryable: false,
    });
    const { mergeSha } = await lab.activities.mergePullRequest(input);
    expect((await commitsOfMain())[0]).toBe(mergeSha);
  });

  it('merges no other head than the one that was shown, also one pushed in the last moment', async () => {
    const input = await opened('moved');
    const newer = await lab.push('hephaestus/moved', { 'moved.py': 'name = 2\n' }, 'hephaestus/moved');
    const before = await commitsOfMain();
    await expect(lab.activities.mergePullRequest(input)).rejects.toMatchObject({
      type: 'HeadMoved',
      nonRetryable: true,
      message: expect.stringContaining(newer),
    });
    const merge = { headSha: input.headSha, title: 't', message: 'm' };
    await expect(lab.client.squashMerge(repository, input.number, merge)).rejects.toMatchObject({
      type: 'HeadMoved',
    });
    expect(await commitsOfMain()).toEqual(before);
  });

  it('says so when somebody merged another head by hand', async () => {
    const input = await opened('by-hand');
    const headSha = await lab.push(
      'hephaestus/by-hand',
      { 'by-hand.py': 'name = 2\n' },
      'hephaestus/by-hand',
    );
    await lab.activities.mergePullRequest({ ...input, headSha });
    await expect(lab.activities.mergePullRequest(input)).rejects.toMatchObject({ type: 'HeadMoved' });
  });

  it('refuses a conflict and a pull request that was closed', async () => {
    const [first, second] = [await opened('conflict-1', 'same.py'), await opened('conflict-2', 'same.py')];
    await lab.activities.mergePullRequest(first);
    await expect(lab.activities.mergePullRequest(second)).rejects.toMatchObject({
      type: 'BaseMoved',
      nonRetryable: true,
      message: expect.stringMatching(/conflicts with main: say revise/),
    });
    await lab.activities.closePullRequest(second);
    await lab.activities.closePullRequest(second);
    expect((await lab.client.getPullRequest(repository, second.number)).state).toBe('closed');
    await expect(lab.activities.mergePullRequest(second)).rejects.toMatchObject({ type: 'NotMergeable' });
  });

  it('refuses a draft, and says which button to press', async () => {
    const input = await opened('draft');
    const { data } = await lab.ask('pi', 'GET', `/repos/${repository}/pulls/${input.number}`);
    expect(data).toMatchObject({ draft: false });
    const other = await proposal(lab, 'still-draft', { 'still-draft.py': 'x = 1\n' });
    const { number, draft } = await lab.activities.openPullRequest(other);
    expect(draft).toBe(true);
    const merge = { ...input, number, headSha: other.headSha };
    await expect(lab.activities.mergePullRequest(merge)).rejects.toMatchObject({
      type: 'NotMergeable',
      message: expect.stringContaining('press "Ready for review"'),
    });
  });

  it('keeps the head under a tag when that is asked for, also when it is done twice', async () => {
    const input = { ...(await opened('tagged')), keepTag: 'hephaestus-head/tagged' };
    const done = await lab.activities.mergePullRequest(input);
    expect(await lab.activities.mergePullRequest(input)).toEqual(done);
    const refs = await execa('git', ['ls-remote', remote(lab.github, lab.github.tokens['pi'] ?? '')]);
    expect(refs.stdout).toContain(`${input.headSha}\trefs/tags/hephaestus-head/tagged`);
    expect(refs.stdout).not.toContain('refs/heads/hephaestus/tagged');
  });

  it('tries again when GitHub refuses for a moment', async () => {
    const input = await opened('moment');
    lab.github.faults.add({ route: 'PUT */merge', kind: 'status', status: 405 });
    await lab.activities.mergePullRequest(input);
    expect((await lab.client.getPullRequest(repository, input.number)).state).toBe('merged');
  });
});

describe('what stands between', () => {
  it('tells limits, pages and cut answers as what they are', async () => {
    const { faults } = lab.github;
    // One of its own each time: a client keeps silent for a while after it met a limit.
    const look = () => createGithubClient(settingsOf(lab.github)).branchHead(repository, 'main');
    faults.add({ route: 'GET *branches*', kind: 'rate-limit' });
    await expect(look()).rejects.toMatchObject({ type: 'GithubRateLimited', retryAfterMs: 1000 });
    faults.add({ route: 'GET *branches*', kind: 'html-429' });
    await expect(look()).rejects.toMatchObject({ type: 'GithubUnavailable', retryAfterMs: 1000 });
    faults.add({ route: 'GET *branches*', kind: 'html-200' });
    await expect(look()).rejects.toMatchObject({ type: 'GithubUnavailable' });
    faults.add({ route: 'GET *branches*', kind: 'drop' });
    await expect(look()).rejects.toMatchObject({ type: 'GithubUnavailable' });
    faults.add({ route: 'GET *branches*', kind: 'cut' });
    await expect(look()).rejects.toMatchObject({ type: 'GithubUnavailable' });
    faults.add({ route: 'POST /graphql', kind: 'html-200' });
    await expect(lab.client.listOpenThreads(repository, 1)).rejects.toMatchObject({
      type: 'GithubUnavailable',
    });
    await vi.waitFor(look);
  });
});
