import { expect, onTestFinished, test } from 'vitest';

import type { CodingDeps } from '../../../activities/coding/coding-deps.ts';
import { createCodingActivities } from '../../../activities/coding/create-coding-activities.ts';
import type { MergeInput } from '../../../activities/github/interface.ts';
import { exampleNote } from '../../support/example-note.ts';
import { runActivity } from '../agents/models.ts';
import { type GithubLab, repository, startLab } from '../github/github-lab.ts';
import { implement, makeWorld, withAgent } from './coding.ts';

/** An experiment's pull request with this change, open and ready, as it is shown to the PI. */
async function propose(lab: GithubLab, deps: CodingDeps, id: string, script: string): Promise<MergeInput> {
  const note = exampleNote({ id, repository });
  const input = {
    experimentId: id,
    note,
    body: '## Why\n',
    round: 0,
    findings: [],
    instructions: null,
  };
  const activities = createCodingActivities(deps);
  await runActivity(() => activities.prepareSource({ experimentId: id, repository, base: 'main' }));
  const { headSha, summary } = await implement(withAgent(deps, script), input);
  await runActivity(() => activities.pushBranch({ experimentId: id, repository, headSha }));
  const opened = { experimentId: id, note, body: '', headSha, summary, environmentDigest: 'd'.repeat(64) };
  const { number } = await lab.activities.openPullRequest(opened);
  await lab.activities.markReady({ repository, number });
  return { repository, number, headSha, title: `Try ${id}`, message: 'Better.' };
}

test('two experiments that were open at once are both merged at the heads that were shown', async () => {
  const lab = await startLab();
  onTestFinished(() => lab.close());
  const { deps: alone } = await makeWorld();
  const pushToken = lab.github.settings['GITHUB_PUSH_TOKEN'] ?? '';
  const deps = { ...alone, git: { serverUrl: lab.github.url, pushToken } };
  const first = await propose(lab, deps, 'first-idea', 'sed -i s/a.=.1/a=7/ train.py');
  const second = await propose(lab, deps, 'second-idea', 'mkdir configs; echo "b: 2" > configs/b.yaml');

  await lab.activities.mergePullRequest(first);
  await lab.activities.mergePullRequest(second);

  for (const id of ['first-idea', 'second-idea']) {
    const note = await lab.client.readFile(repository, `.experiments/${id}/QWEN_TASK.md`, 'main');
    expect(note).toContain(`id: ${id}\n`);
  }
  expect(await lab.client.readFile(repository, 'configs/b.yaml', 'main')).toBe('b: 2\n');
  // A person's later pull request must not be taken for an invitation by what an experiment left behind.
  expect(await lab.client.readFile(repository, 'QWEN_TASK.md', 'main')).toBeNull();
});
