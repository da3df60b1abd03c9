import { once } from 'node:events';
import { join } from 'node:path';

import { execa } from 'execa';
import pc from 'picocolors';

import type { ExperimentStatus } from '../../../domain/experiment.ts';
import { experimentWorkflowId } from '../../../domain/ids.ts';
import { ensureTools } from '../../tools/ensure-tools.ts';
import { number } from '../../templates/markdown-filters.ts';
import { toolEnvironment } from '../../tools/tool-environment.ts';
import { makeDemoDirectory, startDemoWorld, type DemoWorld } from './demo-world.ts';
import { followExperiment } from './follow-experiment.ts';
import { demoIdea } from './idea.ts';
import { createNarrator, type Narrator } from './narrator.ts';
import { recordDemo } from './record-demo.ts';
import { readResults, type DemoResults } from './results.ts';
import { tellTimes } from './times.ts';
import { watchTools } from './tool-watch.ts';

export interface DemoOptions {
  readonly keep?: boolean;
  /** The word of the PI is left to whoever watches. */
  readonly byHand?: boolean;
  readonly directory: string;
  readonly record?: string;
  readonly toolsRoot: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C: everything is ended and the demo throws. */
  readonly interrupted: AbortSignal;
}

const cli = join(import.meta.dirname, '..', '..', '..', 'client', 'cli', 'index.ts');

/** Plays the whole way of an experiment, and the PI in it. Throws when anything is not as it should be. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const startedAt = Date.now();
  const narrator = createNarrator(startedAt);
  console.log(pc.bold('Hephaestus: from an idea to a merged pull request, curves and a permanent note'));
  console.log(
    'Stand-ins, over real HTTP on this machine: GitHub, the Qizhi cluster, the W&B server and the two models.\n' +
      'Real: Temporal, git, uv, wandb, Gemini CLI, Qwen Code, the training, every file and every process.\n',
  );
  const tools = await ensureTools({
    root: options.toolsRoot,
    environment: options.environment,
    log: (line) => narrator.say(line),
  });
  narrator.say('the tools are there; Temporal, the lab and one worker for every zone are starting');
  const directory = await makeDemoDirectory(options.directory);
  options.interrupted.throwIfAborted();
  const world = await startDemoWorld({ directory, tools, environment: options.environment });
  try {
    await Promise.race([
      play(world, options, narrator, startedAt),
      world.worker.died,
      world.webhook.died,
      aborted(options.interrupted),
    ]);
  } finally {
    await world.close();
  }
}

async function play(
  world: DemoWorld,
  options: DemoOptions,
  narrator: Narrator,
  startedAt: number,
): Promise<void> {
  if (world.lab.qizhi.isolation !== 'namespaces') {
    narrator.say(pc.yellow(`the jobs of the lab are kept from the network by: ${world.lab.qizhi.isolation}`));
  }
  narrator.heading('The idea');
  console.log(`${wrap(demoIdea.idea, 100)}\n`);
  const begunAt = Date.now();
  await hephaestus(
    world,
    options,
    'start',
    '--idea',
    demoIdea.idea,
    '--repo',
    'lab/digits',
    '--id',
    demoIdea.id,
  );
  narrator.say('started');
  narrator.link('the page for people', pageOf(world));
  narrator.link(
    'Temporal Web UI',
    `${world.server.uiUrl}/namespaces/${world.server.namespace}/workflows/${encodeURIComponent(experimentWorkflowId(demoIdea.id))}`,
  );
  const watch = watchTools(
    world.worker.pid,
    new Set([world.worker.pid, world.webhook.pid, world.server.pid]),
  );
  const shown = await followExperiment(world, {
    id: demoIdea.id,
    narrator,
    until: 'deciding',
    onPhase: watch.phase,
  });
  tellEvidence(shown, narrator);
  narrator.heading('What the PI asks');
  const question = 'Is the difference more than the noise between seeds?';
  narrator.say(pc.cyan(`npm run -s hephaestus -- discuss ${demoIdea.id} "${question}"`));
  await hephaestus(world, options, 'discuss', demoIdea.id, question, '--by', 'the demo');
  narrator.say('answered by Gemini CLI with the evidence at hand, and kept for the note');
  narrator.heading('The word of the PI');
  if (options.byHand === true) askThePerson(shown, narrator);
  else {
    narrator.say(pc.cyan(`npm run -s hephaestus -- merge ${demoIdea.id}`));
    await hephaestus(world, options, 'merge', demoIdea.id, '--by', 'the demo');
  }
  const ended = await followExperiment(world, {
    id: demoIdea.id,
    narrator,
    until: 'end',
    onPhase: watch.phase,
    ...(options.byHand === true && { patienceMs: Infinity }),
  });
  watch.phase(null);
  narrator.heading('What is left');
  if (ended.phase === 'merged') tellResults(await readResults(world, ended), narrator);
  else narrator.say(`the experiment ended ${ended.phase}; its note: ${ended.note?.path ?? 'none'}`);
  const endedAt = Date.now();
  tellTimes({ status: ended, startedAt, begunAt, endedAt, tools: watch.stop() });
  if (options.record !== undefined) await recordDemo(world, options.record);
  if (options.keep === true) await keep(world, narrator, options.interrupted);
  else narrator.say(`everything is left in ${world.directory}; look around with: npm run demo -- --keep`);
}

/** The command line as a person would use it; throws with its own words when it does not end well. */
async function hephaestus(world: DemoWorld, options: DemoOptions, ...args: string[]): Promise<void> {
  const { exitCode, all } = await execa(process.execPath, [cli, ...args], {
    cwd: world.home,
    env: { ...toolEnvironment(options.environment), ...world.settings },
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    all: true,
  });
  if (exitCode !== 0) throw new Error(`hephaestus ${args[0] ?? ''} ended with ${String(exitCode)}:\n${all}`);
}

function tellEvidence({ evidence, links }: ExperimentStatus, narrator: Narrator): void {
  narrator.heading('The evidence');
  narrator.say(pc.green(evidence?.verdict.sentence ?? 'there is none'));
  for (const { seed, jobId, value } of evidence?.jobs ?? []) {
    narrator.say(
      `seed ${seed}: ${evidence?.metric.name ?? ''} = ${value === null ? 'nothing' : number(value)} (${jobId})`,
    );
  }
  for (const { label, url } of links) narrator.link(label, url);
}

function askThePerson({ pullRequest }: ExperimentStatus, narrator: Narrator): void {
  narrator.say(
    'it is yours. On the page of the pull request, write a comment that holds one of these alone on a line:',
  );
  for (const words of ['merge', 'reject', 'revise <what to change>', 'rerun', 'stop'])
    narrator.say(pc.cyan(`  /hephaestus ${words}`));
  narrator.link('pull request', pullRequest?.url ?? '');
  narrator.say('Ctrl-C ends the demo without an answer');
}

function tellResults(results: DemoResults, narrator: Narrator): void {
  narrator.say(`merged: ${results.mergeSha.slice(0, 12)} ${results.mergeTitle}`);
  narrator.link('comment', results.commentUrl);
  narrator.link(`curves (${Math.round(results.pictureBytes / 1024)} kB)`, results.pictureUrl);
  narrator.link('note', results.notePath);
}

async function keep(world: DemoWorld, narrator: Narrator, interrupted: AbortSignal): Promise<void> {
  narrator.heading('Everything stays up until Ctrl-C');
  const { github, qizhi, wandb, models } = world.lab;
  for (const [label, { url }] of Object.entries({ GitHub: github, Qizhi: qizhi, 'W&B': wandb, models }))
    narrator.link(label, url);
  narrator.link('the page for people', pageOf(world));
  narrator.link('Temporal Web UI', world.server.uiUrl);
  narrator.say(
    `the command line, in that world: cd ${world.home} && npm --prefix ${process.cwd()} run -s hephaestus -- list`,
  );
  await untilAborted(interrupted);
}

function pageOf({ settings }: DemoWorld): string {
  return `http://127.0.0.1:${settings['HEPHAESTUS_PAGE_PORT'] ?? ''}`;
}

/** Lines of about `width` characters, below the words that have a time before them. */
function wrap(text: string, width: number): string {
  return text.replaceAll(new RegExp(`(.{1,${width}})(?:\\s+|$)`, 'g'), `${' '.repeat(10)}$1\n`).trimEnd();
}

/** Rejects when the demo is interrupted. */
async function aborted(signal: AbortSignal): Promise<never> {
  await untilAborted(signal);
  throw new Error('interrupted');
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
