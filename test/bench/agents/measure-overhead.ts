import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { MockActivityEnvironment } from '@temporalio/testing';

import { createNotesActivities } from '../../../activities/notes/create-notes-activities.ts';
import { createPlanningActivities } from '../../../activities/planning/create-planning-activities.ts';
import type { Agent } from '../../../infra/agents/agent.ts';
import { geminiAgent } from '../../../infra/agents/gemini.ts';
import { processEnvironment } from '../../../infra/env.ts';
import { demoIdea } from '../../../infra/lab/demo/idea.ts';
import { startModelsStandIn } from '../../../infra/lab/models/models-stand-in.ts';
import { scriptIdea } from '../../../infra/lab/models/script-idea.ts';
import { madeUpExperiments } from '../../../infra/lab/vault/made-up-experiments.ts';
import { ensureTools } from '../../../infra/tools/ensure-tools.ts';
import type { Figure } from '../figure.ts';
import { compare, rounds, runBare, timed, type World } from './compare.ts';
import { measureChange } from './measure-change.ts';

/** The bare programs against the whole activity, in turn: same endpoint, same prompt, same tools. Medians. */
export async function measureOverhead(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'hephaestus-bench-agents-'));
  const environment = processEnvironment();
  const root = join(import.meta.dirname, '..', '..', '..', '.tools');
  const tools = await ensureTools({ root, which: ['agents', 'python'], environment });
  await mkdir(join(folder, 'models'));
  const models = await startModelsStandIn({
    directory: join(folder, 'models'),
    script: scriptIdea(demoIdea),
  });
  const world = { folder, tools, models };
  try {
    return [await measureNote(world), await measurePlan(world), await measureChange(world)];
  } finally {
    await models.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function gemini({ models: { settings }, tools }: World, writableFile: string | null): Agent {
  const { GEMINI_API_KEY: apiKey = '', GEMINI_MODEL: model, GOOGLE_GEMINI_BASE_URL: baseUrl } = settings;
  return geminiAgent({
    argv: tools.gemini,
    settings: { apiKey, model, baseUrl },
    writableFile,
    maxTurns: 40,
  });
}

function common({ models: { settings }, tools, folder }: World) {
  const { GEMINI_API_KEY: apiKey = '', GEMINI_MODEL: model, GOOGLE_GEMINI_BASE_URL: baseUrl } = settings;
  return {
    gemini: { apiKey, model, baseUrl },
    limits: { maxTokens: Infinity },
    tools,
    vault: join(folder, 'vault'),
    scratchDir: join(folder, 'scratch'),
    environment: processEnvironment(),
  };
}

async function measureNote(world: World): Promise<Figure> {
  const activities = createNotesActivities(common(world));
  const facts = madeUpExperiments(rounds + 1);
  const cwd = await mkdtemp(join(world.folder, 'note-'));
  await writeFile(join(cwd, 'FACTS.json'), JSON.stringify(facts[0], null, 2));
  return compare(
    'a note',
    () => runBare(gemini(world, null), 'Task: note what was learned.\n- verdict: better', cwd, world.folder),
    async (round) => {
      const one = facts[round];
      if (one === undefined) throw new Error('there are facts for each round');
      return timed(() => new MockActivityEnvironment().run(() => activities.writeNote(one)));
    },
  );
}

async function measurePlan(world: World): Promise<Figure> {
  const activities = createPlanningActivities({ ...common(world), resourcesFile: undefined });
  const readme = await readFile(
    join(import.meta.dirname, '..', '..', '..', 'examples', 'digits', 'README.md'),
    'utf8',
  );
  const description = { baseSha: 'abc', files: ['train.py', 'uv.lock', 'configs/baseline.json'], readme };
  const input = { idea: demoIdea.idea, repository: 'lab/digits', base: 'main', description };
  const cwd = await mkdtemp(join(world.folder, 'plan-'));
  const agent = gemini(world, join(cwd, 'QWEN_TASK.md'));
  const prompt =
    'Task: plan the experiment.\n\nExperiment: bare-plan\nRepository: lab/digits\nBase branch: main\n';
  return compare(
    'a plan',
    () => runBare(agent, prompt, cwd, world.folder),
    (round) =>
      timed(() =>
        new MockActivityEnvironment().run(() =>
          activities.planTaskNote({ ...input, experimentId: `plan-${round}` }),
        ),
      ),
  );
}
