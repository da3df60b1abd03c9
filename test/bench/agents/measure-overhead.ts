import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { MockActivityEnvironment } from '@temporalio/testing';
import { execa } from 'execa';

import { createNotesActivities } from '../../../activities/notes/create-notes-activities.ts';
import { createPlanningActivities } from '../../../activities/planning/create-planning-activities.ts';
import type { Agent } from '../../../infra/agents/agent.ts';
import { childEnvironment } from '../../../infra/agents/child-environment.ts';
import { geminiAgent } from '../../../infra/agents/gemini.ts';
import { processEnvironment } from '../../../infra/env.ts';
import { demoIdea } from '../../../infra/lab/demo/idea.ts';
import { type ModelsStandIn, startModelsStandIn } from '../../../infra/lab/models/models-stand-in.ts';
import { scriptIdea } from '../../../infra/lab/models/script-idea.ts';
import { madeUpExperiments } from '../../../infra/lab/vault/made-up-experiments.ts';
import { ensureTools, type Tools } from '../../../infra/tools/ensure-tools.ts';
import type { Figure } from '../environment/figure.ts';
import { measureChange } from './measure-change.ts';

const rounds = 7;
const most = 0.1;

export interface World {
  readonly folder: string;
  readonly tools: Tools;
  readonly models: ModelsStandIn;
}

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

/** Runs both in turn, the first time to warm up, and holds the medians of what they took against each other. */
export async function compare(
  what: string,
  bare: (round: number) => Promise<number>,
  whole: (round: number) => Promise<number>,
): Promise<Figure> {
  const times: { bare: number; whole: number }[] = [];
  for (let round = 0; round <= rounds; round += 1)
    times.push({ bare: await bare(round), whole: await whole(round) });
  const counted = times.slice(1);
  const [a, b] = [median(counted.map((time) => time.bare)), median(counted.map((time) => time.whole))];
  const over = b / a - 1;
  return {
    what: `${what}: bare ${(a / 1000).toFixed(2)} s, by Hephaestus ${(b / 1000).toFixed(2)} s`,
    value: `${(over * 100).toFixed(1)} % more`,
    target: `under ${most * 100} %`,
    met: over < most,
  };
}

/** One run of the program by itself, ms: its own home as it needs it, nothing watched, nothing checked. */
export async function runBare(agent: Agent, prompt: string, cwd: string, folder: string): Promise<number> {
  const home = await mkdtemp(join(folder, 'bare-home-'));
  for (const [path, content] of Object.entries(agent.files)) {
    await mkdir(dirname(join(home, path)), { recursive: true });
    await writeFile(join(home, path), content);
  }
  const turn = { prompt, sessionId: randomUUID(), resume: false, home, wallClockMs: 600_000 };
  const [program = '', ...first] = agent.argv;
  const env = { ...childEnvironment(processEnvironment()), HOME: home, ...agent.environment(home) };
  const started = performance.now();
  await execa(program, [...first, ...agent.arguments(turn)], { cwd, env, extendEnv: false, stdin: 'ignore' });
  const took = performance.now() - started;
  await rm(home, { recursive: true, force: true });
  return took;
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

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
