import { afterAll, beforeAll, expect, it } from 'vitest';

import { createGithubActivities } from '../../../activities/github/create-github-activities.ts';
import type { QualityInput } from '../../../activities/github/interface.ts';
import { createGithubClient } from '../../../infra/github/create-github-client.ts';
import { type GithubLab, picture, proposal, repository, settingsOf, startLab } from './github-lab.ts';

let lab: GithubLab;

beforeAll(async () => {
  lab = await startLab();
});
afterAll(() => lab.close());

async function said(id: string): Promise<QualityInput> {
  const { headSha } = await proposal(lab, id);
  return {
    repository,
    headSha,
    state: 'failure',
    description: 'environment: not portable',
    targetUrl: `${lab.github.url}/${repository}/pull/1`,
    lines: [{ name: 'environment', state: 'failed', detail: 'not portable, ask @octocat', url: null }],
  };
}

interface Run {
  readonly name: string;
  readonly status: string;
  readonly conclusion: string | null;
  readonly output: { readonly title: string; readonly summary: string };
}

async function runsOf(sha: string): Promise<readonly Run[]> {
  const { data } = await lab.ask('pi', 'GET', `/repos/${repository}/commits/${sha}/check-runs`);
  return (data as { check_runs: Run[] }).check_runs;
}

async function statesOf(sha: string): Promise<readonly string[]> {
  const { data } = await lab.ask('pi', 'GET', `/repos/${repository}/commits/${sha}/statuses`);
  return (data as { state: string }[]).map(({ state }) => state);
}

it('is a check run with every line where a GitHub App speaks: one, renewed in place', async () => {
  const { apiUrl, serverUrl } = settingsOf(lab.github);
  const given = lab.github.appSettings;
  const app = {
    id: Number(given['GITHUB_APP_ID']),
    privateKey: given['GITHUB_APP_PRIVATE_KEY'] ?? '',
    installationId: Number(given['GITHUB_APP_INSTALLATION_ID']),
  };
  const github = createGithubClient({ apiUrl, serverUrl, app });
  const activities = createGithubActivities({ github, draw: async () => picture });
  const input = await said('by-app');
  await activities.publishQuality({ ...input, state: 'pending', description: 'looking' });
  expect(await runsOf(input.headSha)).toMatchObject([{ name: 'hephaestus/quality', status: 'in_progress' }]);
  lab.github.faults.add({ route: 'PATCH */check-runs/*', kind: 'commit-then-500' });
  await expect(activities.publishQuality(input)).rejects.toMatchObject({ type: 'GithubUnavailable' });
  await activities.publishQuality(input);
  const runs = await runsOf(input.headSha);
  expect(runs).toMatchObject([{ status: 'completed', conclusion: 'failure' }]);
  expect(runs[0]?.output.summary).toContain('| ❌ | environment | not portable, ask @\u200Boctocat |');
  expect(await statesOf(input.headSha)).toEqual([]);
});

it('is a commit status where a token speaks, said once', async () => {
  const input = await said('by-token');
  await lab.activities.publishQuality(input);
  await lab.activities.publishQuality(input);
  expect(await statesOf(input.headSha)).toEqual(['failure']);
  expect(await runsOf(input.headSha)).toEqual([]);
});
