import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { execa } from 'execa';

import type { Agent } from '../../../infra/agents/agent.ts';
import { childEnvironment } from '../../../infra/agents/child-environment.ts';
import { processEnvironment } from '../../../infra/env.ts';
import type { ModelsStandIn } from '../../../infra/lab/models/models-stand-in.ts';
import type { Tools } from '../../../infra/tools/ensure-tools.ts';
import type { Figure } from '../figure.ts';

/** Counted rounds; one more before them warms up. */
export const rounds = 7;
const most = 0.1;

export interface World {
  readonly folder: string;
  readonly tools: Tools;
  readonly models: ModelsStandIn;
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

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
