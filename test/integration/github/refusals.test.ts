import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createGithubActivities } from '../../../activities/github/create-github-activities.ts';
import type { MergeInput } from '../../../activities/github/interface.ts';
import { createGithubClient } from '../../../infra/github/create-github-client.ts';
import { exampleStatus } from '../../unit/activities/github/example-status.ts';
import { type GithubLab, picture, proposal, remote, repository, settingsOf, startLab } from './github-lab.ts';

let lab: GithubLab;

beforeAll(async () => {
  lab = await startLab();
});
afterAll(() => lab.close());

/** An open pull request, ready for review, that changes a file of its own. */
async function opened(id: string, file = `${id}.py`): Promise<MergeInput> {
  const input = await proposal(lab, id, { [file]: `name = '${id}'\n` });
  const { number } = await lab.activities.openPullRequest(input);
  await lab.activities.markReady({ repository, number });
  return { repository, number, headSha: input.headSha, title: id, message: 'Better.' };
}

async function knob(method: string, path: string, body?: object): Promise<void> {
  const answer = await fetch(`${lab.github.url}/_lab/repositories/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  expect(answer.ok).toBe(true);
}

/** The base branch is protected while `act` runs. */
async function protectedBy(rules: object, act: () => Promise<void>): Promise<void> {
  await knob('PUT', `${repository}/protection/main`, rules);
  try {
    await act();
  } finally {
    await knob('DELETE', `${repository}/protection/main`);
  }
}

describe('a protected base branch', () => {
  it('asks for reviews: the refusal says how many, and after an approval the same word merges', async () => {
    await protectedBy({ requiredReviews: 1 }, async () => {
      const input = await opened('needs-review');
      await expect(lab.activities.mergePullRequest(input)).rejects.toMatchObject({
        type: 'NotMergeable',
        nonRetryable: true,
        message: expect.stringMatching(
          /1 approving reviews are required, 0 are there: approve it; then say merge again/,
        ),
      });
      await lab.ask('pi', 'POST', `/repos/${repository}/pulls/${input.number}/reviews`, { event: 'APPROVE' });
      expect((await lab.activities.mergePullRequest(input)).mergeSha).toMatch(/^[0-9a-f]{40}$/);
    });
  });

  it('asks for checks: the gate waits for them, and the refusal names those that are not green', async () => {
    await protectedBy({ requiredChecks: ['ci', 'hephaestus/quality'] }, async () => {
      const input = await opened('needs-checks');
      const look = {
        repository,
        number: input.number,
        taskNotePath: 'QWEN_TASK.md',
        since: null,
        pollSeconds: 1,
      };
      const { snapshot } = await lab.activities.awaitPullRequestChange(look);
      // Its own verdict is what the gate publishes: it cannot wait for it.
      expect(snapshot.required).toEqual(['ci']);
      await expect(lab.activities.mergePullRequest(input)).rejects.toMatchObject({
        type: 'NotMergeable',
        message: expect.stringContaining('not green yet: ci, hephaestus/quality'),
      });
    });
  });

  it('merges by a queue alone: what the queue merged is found by the next word', async () => {
    const input = await opened('queued');
    await protectedBy({ mergeQueue: true }, async () => {
      await expect(lab.activities.mergePullRequest(input)).rejects.toMatchObject({
        type: 'NotMergeable',
        message: expect.stringContaining('main takes merges through its merge queue alone'),
      });
    });
    const byHand = { merge_method: 'squash', sha: input.headSha };
    await lab.ask('pi', 'PUT', `/repos/${repository}/pulls/${input.number}/merge`, byHand);
    expect((await lab.activities.mergePullRequest(input)).mergeSha).toMatch(/^[0-9a-f]{40}$/);
  });

  it('asks for branches that are up to date', async () => {
    const input = await opened('behind');
    await lab.push('main', { 'moved-on.py': 'x = 1\n' });
    await protectedBy({ strict: true }, async () => {
      await expect(lab.activities.mergePullRequest(input)).rejects.toMatchObject({
        type: expect.stringMatching(/BaseMoved|NotMergeable/),
        message: expect.stringMatching(/say (?:revise|merge again)/),
      });
    });
  });
});

function activitiesWith(uploadsUrl: string | undefined, token?: string) {
  return createGithubActivities({
    github: createGithubClient({ ...settingsOf(lab.github, token), uploadsUrl }),
    draw: async () => picture,
  });
}

describe('pictures', () => {
  const upload = {
    repository,
    experimentId: 'curves',
    title: 't',
    metric: { name: 'val/loss', goal: 'minimize' },
    results: { runs: [], baseline: null },
  } as const;

  it('are uploaded as attachments where that can be done, and shown in the comment', async () => {
    const activities = activitiesWith(lab.github.url);
    const shown = await activities.uploadCurves(upload);
    expect(shown.url).toMatch(/\/user-attachments\/assets\/[0-9a-f-]{36}$/);
    const answer = await fetch(shown.url ?? '');
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(picture);
    const { number } = await opened('with-picture');
    const status = exampleStatus({ id: 'with-picture' });
    await activities.updateComment({ repository, number, status, pictures: [shown] });
    const { data } = await lab.ask('pi', 'GET', `/repos/${repository}/issues/${number}/comments`);
    expect((data as { body: string }[])[0]?.body).toContain(shown.url);
  });

  it('go to a branch of their own where the server for uploads refuses', async () => {
    lab.github.faults.add({ route: 'POST /user-attachments/*', kind: 'status', status: 404, count: 2 });
    const shown = await activitiesWith(lab.github.url).uploadCurves(upload);
    expect(shown.url).toMatch(/\/blob\/[0-9a-f]{40}\/curves\/[0-9a-f]{32}\.png\?raw=true$/);
  });

  it('are left out where there is no place for them, and the lines of text stay', async () => {
    const reader = activitiesWith(undefined, lab.github.tokens['reader']);
    const shown = await reader.uploadCurves({ ...upload, experimentId: 'nowhere' });
    expect(shown).toMatchObject({ url: null, lines: [] });
  });
});

it('goes on by the old name when the repository is renamed', async () => {
  const input = await opened('renamed');
  await knob('POST', `${repository}/rename`, { name: 'digits-2' });
  const look = {
    repository,
    number: input.number,
    taskNotePath: 'QWEN_TASK.md',
    since: null,
    pollSeconds: 1,
  };
  expect((await lab.activities.awaitPullRequestChange(look)).snapshot.headSha).toBe(input.headSha);
  const status = exampleStatus({ id: 'renamed' });
  await lab.activities.updateComment({ repository, number: input.number, status, pictures: [] });
  await lab.activities.updateComment({ repository, number: input.number, status, pictures: [] });
  const { data } = await lab.ask('pi', 'GET', `/repos/lab/digits-2/issues/${input.number}/comments`);
  expect(data).toHaveLength(1);
  await lab.activities.mergePullRequest(input);
  const address = remote(lab.github, lab.github.tokens['pi'] ?? '').replace('digits.git', 'digits-2.git');
  expect((await execa('git', ['ls-remote', address])).stdout).not.toContain('heads/hephaestus/renamed');
  await knob('POST', 'lab/digits-2/rename', { name: 'digits' });
});
