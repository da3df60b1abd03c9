import { pino } from 'pino';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';

import { createConversationActivities } from '../../../activities/github/create-conversation-activities.ts';
import { openExperiments, type Experiments } from '../../../client/experiments.ts';
import { createWebhookServer } from '../../../client/webhook/create-webhook-server.ts';
import { branchName } from '../../../domain/ids.ts';
import { formatTaskNote } from '../../../domain/task-note-text.ts';
import { loadConfig } from '../../../infra/config/load-config.ts';
import { exampleNote } from '../../support/example-note.ts';
import { scriptedWorld } from '../../support/scripted-activities.ts';
import {
  quickPolicy,
  startTemporalEnvironment,
  type TemporalEnvironment,
} from '../../support/temporal-environment.ts';
import { type GithubLab, repository, startLab } from '../github/github-lab.ts';

let temporal: TemporalEnvironment;
let lab: GithubLab;
let experiments: Experiments;
let server: ReturnType<typeof createWebhookServer>;
/** Of the coding activity's pushes. */
const heads = new Map<string, string>();

beforeAll(async () => {
  [temporal, lab] = await Promise.all([startTemporalEnvironment(inject('tools').temporal), startLab()]);
  const env = { TEMPORAL_ADDRESS: temporal.server.address, TEMPORAL_CONFIG_FILE: `${lab.folder}/none.toml` };
  experiments = openExperiments(loadConfig({ env, zones: [], cwd: lab.folder }).temporal);
  const secret = lab.github.settings['GITHUB_WEBHOOK_SECRET'] ?? '';
  server = createWebhookServer({ experiments, policy: seldom, secret, log: pino({ level: 'silent' }) });
  lab.github.addHook(`${await server.listen({ host: '127.0.0.1', port: 0 })}/webhooks/github`);
  await lab.ask('pi', 'PUT', '/_lab/webhooks', { duplicate: 1 });
  temporal.world.current = scriptedWorld({
    ...lab.activities,
    ...createConversationActivities({ github: lab.client }),
    implementChange: async ({ experimentId }) => {
      const files = { 'train.py': `a = '${experimentId}'\n` };
      const headSha = heads.get(experimentId) ?? (await lab.push(branchName(experimentId), files));
      heads.set(experimentId, headSha);
      return { headSha, summary: 'Changed it.', changedPaths: ['train.py'], tokens: 0 };
    },
    adoptChange: async ({ branch }) => {
      const { data } = await lab.ask('pi', 'GET', `${path}/branches/${branch}`);
      const { sha } = (data as { commit: { sha: string } }).commit;
      return { headSha: sha, summary: 'By hand.', changedPaths: ['train.py', 'QWEN_TASK.md'], tokens: 0 };
    },
  });
});
afterAll(async () => {
  await server.close();
  await experiments.close();
  await temporal.close();
  await lab.close();
});

const path = `/repos/${repository}`;
const patiently = { timeout: 120_000, interval: 250 };
/** So seldom that only a webhook can have brought what is heard. */
const seldom = { ...quickPolicy, githubPollSeconds: 3600 };

async function inPhase(id: string, phase: string): Promise<void> {
  await vi.waitFor(async () => expect((await experiments.see(id)).phase).toBe(phase), patiently);
}

/** Until the comment shows the evidence of an attempt nobody can say anything about it. */
async function shows(id: string, attempt: string): Promise<void> {
  await vi.waitFor(async () => {
    expect((await experiments.see(id)).status?.shown?.about).toContain(attempt);
  }, patiently);
}

async function say(number: number, body: string): Promise<number> {
  const { data } = await lab.ask('pi', 'POST', `${path}/issues/${number}/comments`, { body });
  return (data as { id: number }).id;
}

it('obeys a word once, although every delivery comes twice, and says so below it', async () => {
  const id = 'told-by-hook';
  const note = exampleNote({ id, repository, seeds: [0] });
  await experiments.start({
    id,
    by: 'test',
    policy: seldom,
    source: { kind: 'note', note, body: '## Why\n' },
  });
  await shows(id, 'attempt 1');
  const number = (await experiments.see(id)).status?.pullRequest?.number ?? 0;
  await say(number, '> /hephaestus merge\n\nnot yet');
  const again = await say(number, '/hephaestus rerun 5');
  await shows(id, 'attempt 2');
  const merge = await say(number, '/hephaestus merge');
  await inPhase(id, 'merged');
  const { status } = await experiments.see(id);
  expect(status?.attempts).toHaveLength(2);
  expect(status?.said.map(({ commentId, answer }) => [commentId, answer])).toEqual([
    [again, 'taken'],
    [merge, 'taken'],
  ]);
  const { data } = await lab.ask('pi', 'GET', `${path}/issues/comments/${merge}/reactions`);
  expect((data as { content: string }[]).map(({ content }) => content)).toEqual(['rocket']);
  const comments = await lab.client.listComments(repository, number);
  const sticky = comments.filter(({ body }) => body.startsWith('<!-- hephaestus:'));
  expect(sticky).toHaveLength(1);
  expect(sticky[0]?.body).toContain('### Said here');
});

it("begins with a person's pull request and stops when it is closed", async () => {
  const id = 'by-a-person';
  const note = formatTaskNote({
    note: exampleNote({ id, repository, seeds: [0] }),
    body: '## Why\nTo see.\n',
  });
  await lab.push('my-idea', { 'train.py': 'a = 7\n', 'QWEN_TASK.md': note });
  const pull = { title: 'My idea', head: 'my-idea', base: 'main' };
  const { data } = await lab.ask('pi', 'POST', `${path}/pulls`, pull);
  const { number } = data as { number: number };
  await vi.waitFor(async () => expect((await experiments.see(id)).execution).toBe('running'), patiently);
  await inPhase(id, 'deciding');
  const { status } = await experiments.see(id);
  expect(status).toMatchObject({ branch: 'my-idea', pullRequest: { number } });
  const asked = { repository, number, by: 'ann', policy: seldom };
  expect(await experiments.startFromPullRequest(asked)).toMatchObject({ status: 'attached', id });
  await lab.ask('pi', 'PATCH', `${path}/pulls/${number}`, { state: 'closed' });
  await inPhase(id, 'stopped');
  await expect(experiments.startFromPullRequest(asked)).rejects.toMatchObject({ kind: 'refused' });
  const missing = experiments.startFromPullRequest({ ...asked, number: 999 });
  await expect(missing).rejects.toMatchObject({ kind: 'not-found' });
});
