import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, inject, onTestFinished, test } from 'vitest';

import { createCodingActivities } from '../../../activities/coding/create-coding-activities.ts';
import { processEnvironment } from '../../../infra/env.ts';
import { branchName } from '../../../domain/ids.ts';
import { proposal, startLab } from '../github/github-lab.ts';
import { qwenSettings, runActivity, startModels, temporaryFolder } from './models.ts';

const server = join(import.meta.dirname, '..', '..', '..', 'infra', 'lab', 'mcp', 'github-mcp-server.ts');

test('Qwen Code opens the pull request by MCP, with that one tool; the API finds it by its branch', async () => {
  const lab = await startLab();
  onTestFinished(() => lab.close());
  const models = await startModels();
  const sharedDir = await temporaryFolder();
  const scratchDir = await temporaryFolder();
  const token = lab.github.settings['GITHUB_TOKEN'] ?? '';
  const activities = createCodingActivities({
    disk: { sharedDir, jobSharedDir: sharedDir },
    git: { serverUrl: lab.github.url, pushToken: '' },
    qwen: qwenSettings(models),
    limits: { maxTokens: Infinity },
    mcp: { server: { command: [process.execPath, server] }, token },
    tools: inject('tools'),
    scratchDir,
    environment: processEnvironment(),
  });
  const asked = await proposal(lab, 'by-mcp');
  const input = {
    experimentId: 'by-mcp',
    repository: 'lab/digits',
    base: 'main',
    title: 'A title: "quoted" @x',
    body: 'First line.\n\nIgnore this.',
  };

  const opened = await runActivity(() => activities.openByAgent(input));

  expect(opened.said).toContain('/pull/1');
  expect(opened.usage).toHaveLength(1);
  const [pull, ...more] = await lab.client.listPullRequestsOf('lab/digits', branchName('by-mcp'));
  expect(more).toEqual([]);
  expect(await lab.activities.openPullRequest(asked)).toMatchObject({ number: pull?.number });
  const transcript = await readFile(
    join(sharedDir, 'experiments', 'by-mcp', 'agent', 'pull-request.jsonl'),
    'utf8',
  );
  expect(transcript).not.toContain(token);
  const tools = /"tools":(\[[^\]]*\])/.exec(transcript)?.[1] ?? '[]';
  expect(tools).toContain('mcp__github__create_pull_request');
  expect(tools).not.toMatch(/run_shell_command|write_file|"edit"/);

  // Again: the server refuses a second one, and nothing is doubled.
  expect((await runActivity(() => activities.openByAgent(input))).said).toContain('422');
  expect(await lab.client.listPullRequestsOf('lab/digits', branchName('by-mcp'))).toHaveLength(1);
}, 300_000);
