import { cp, mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';

import { MockActivityEnvironment } from '@temporalio/testing';
import { execa } from 'execa';

import { createCodingActivities } from '../../../activities/coding/create-coding-activities.ts';
import { qwenAgent } from '../../../infra/agents/qwen.ts';
import { processEnvironment } from '../../../infra/env.ts';
import { demoIdea } from '../../../infra/lab/demo/idea.ts';
import { startGithubStandIn } from '../../../infra/lab/github/start-github-stand-in.ts';
import type { Figure } from '../figure.ts';
import { compare, runBare, timed, type World } from './compare.ts';

/** The demo's change on the demo's repository: bare Qwen Code in a clone, against the whole activity. */
export async function measureChange(world: World): Promise<Figure> {
  const { folder, tools, models } = world;
  const { OPENAI_API_KEY: apiKey = '', OPENAI_MODEL: model, OPENAI_BASE_URL: baseUrl } = models.settings;
  const qwen = { apiKey, model, baseUrl };
  const seed = join(folder, 'digits');
  await cp(join(import.meta.dirname, '..', '..', '..', 'examples', 'digits'), seed, { recursive: true });
  const repository = { owner: 'lab', name: 'digits', from: seed, message: 'Train digits' };
  const github = await startGithubStandIn({ directory: join(folder, 'github'), repositories: [repository] });
  const sharedDir = join(folder, 'shared');
  await mkdir(sharedDir);
  const activities = createCodingActivities({
    disk: { sharedDir, jobSharedDir: sharedDir },
    git: {
      serverUrl: github.url,
      pushToken: github.settings['GITHUB_PUSH_TOKEN'] ?? github.settings['GITHUB_TOKEN'] ?? '',
    },
    qwen,
    limits: { maxTokens: Infinity },
    mcp: { server: null, token: '' },
    tools,
    scratchDir: join(folder, 'scratch'),
    environment: processEnvironment(),
  });
  const schema = { type: 'object', properties: { summary: { type: 'string' } }, required: ['summary'] };
  const agent = qwenAgent({
    argv: tools.qwen,
    settings: qwen,
    reportSchema: schema,
    maxTurns: 100,
    maxToolCalls: 300,
  });
  try {
    return await compare(
      'a change',
      async () => {
        const cwd = await mkdtemp(join(folder, 'bare-'));
        await cp(seed, cwd, { recursive: true });
        await execa('git', ['init', '--quiet', cwd]);
        return runBare(agent, 'Task: implement the change.\n\nExperiment: bare\nRound: 0\n', cwd, folder);
      },
      async (round) => {
        const experimentId = `change-${round}`;
        await run(() => activities.prepareSource({ experimentId, repository: 'lab/digits', base: 'main' }));
        const note = { ...demoIdea.note, id: experimentId };
        const input = { experimentId, note, body: demoIdea.body, round: 0, findings: [], instructions: null };
        return timed(() => run(() => activities.implementChange(input)));
      },
    );
  } finally {
    await github.close();
  }
}

function run<T>(activity: () => Promise<T>): Promise<T> {
  return new MockActivityEnvironment().run(activity);
}
