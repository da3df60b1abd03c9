import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { execa } from 'execa';

import { experimentWorkflowId } from '../../../domain/ids.ts';
import type { Tools } from '../../../infra/tools/ensure-tools.ts';
import { queues, stepTimeout } from '../../../workflows/contract.ts';
import type { ExperimentWorkflow } from '../../../workflows/index.ts';
import { exampleNote } from '../../support/example-note.ts';
import { quickPolicy } from '../../support/temporal-environment.ts';
import { askStatus } from '../qizhi/ask-status.ts';
import { chance } from '../qizhi/chance.ts';
import { tally } from '../counts.ts';
import { describeStuck } from '../qizhi/describe-stuck.ts';
import { pause } from '../../../infra/pause.ts';
import { doInFlight } from '../run-sections.ts';
import { replayAll } from '../qizhi/replay.ts';
import { startMortalWorkers } from '../qizhi/worker-processes.ts';
import { type BenchWorld, openBenchWorld, repository } from './bench-world.ts';
import type { ChaosReport } from './chaos-report.ts';
import { drawExperiment, type ExperimentPlan } from './experiment-plan.ts';
import { makeTrouble } from './faults.ts';
import { type ExperimentEnd, judgeExperiment, type Merges } from './judge.ts';
import { startPerson } from './person.ts';
import type { WorkerSettings } from './worker-settings.ts';

export interface ChaosOptions {
  readonly experiments: number;
  readonly seed: number;
  readonly inFlight: number;
  /** Of a worker process until it is killed, ms on average. */
  readonly meanLifeMs: number;
  /** What has not ended so long after its start counts as wrong. */
  readonly longestMs: number;
  readonly say: (line: string) => void;
}

const workerScript = join(import.meta.dirname, 'worker-process.ts');

/**
 * Experiments through the real workflows and the real activities of GitHub, with everything going wrong by chance: faults
 * on one request in twenty, webhooks that are lost, doubled, late and out of order, people who meddle, and worker
 * processes that are killed. Afterwards what each experiment says of itself is compared with what stands on GitHub.
 */
export async function runChaos(tools: Pick<Tools, 'temporal'>, options: ChaosOptions): Promise<ChaosReport> {
  const plans = Array.from({ length: options.experiments }, (_, index) =>
    drawExperiment(options.seed, index),
  );
  const world = await openBenchWorld(
    tools,
    plans.map(({ id }) => id),
  );
  try {
    return await endure(world, plans, options);
  } finally {
    await world.close();
  }
}

async function endure(
  world: BenchWorld,
  plans: readonly ExperimentPlan[],
  options: ChaosOptions,
): Promise<ChaosReport> {
  const { seed, say } = options;
  const begun = Date.now();
  const trouble = await makeTrouble(world.lab, seed);
  let lives = 0;
  const workers = await startMortalWorkers(settingsOfWorkers(world), {
    meanLifeMs: options.meanLifeMs,
    draw: () => chance(seed, 'life', (lives += 1)),
    script: workerScript,
  });
  const person = startPerson(world, new Map(plans.map((plan) => [plan.id, plan])));
  let ends: ExperimentEnd[];
  try {
    ends = await doInFlight(plans, options, (plan) => runExperiment(world, plan, options.longestMs));
  } finally {
    await Promise.all([person.stop(), workers.stop()]);
  }
  await trouble.end();
  say('all have ended; comparing with what stands on GitHub');
  const problems = await judgeAll(world, ends);
  const workflowIds = ends.map(({ plan }) => experimentWorkflowId(plan.id));
  problems.push(...(await replayAll(world.client, world.bundleFile, workflowIds)));
  return {
    problems,
    seconds: (Date.now() - begun) / 1000,
    experiments: plans.length,
    slowestSeconds: Math.max(0, ...ends.map(({ seconds }) => seconds)),
    outcomes: tally(ends.map(({ status }) => status?.phase ?? 'unknown')),
    refused: ends.reduce((sum, { status }) => sum + (status?.refused.length ?? 0), 0),
    meddled: person.meddled,
    comments: person.comments(),
    unanswered: person.troubles.length,
    kills: workers.kills(),
    faults: await trouble.met(),
  };
}

/** Of two workers one uploads pictures as attachments, the other puts them on their branch. */
function settingsOfWorkers({ settings, lab }: BenchWorld): WorkerSettings[] {
  return [settings, { ...settings, github: { ...settings.github, uploadsUrl: lab.url } }];
}

async function runExperiment(
  { client }: BenchWorld,
  plan: ExperimentPlan,
  longestMs: number,
): Promise<ExperimentEnd> {
  const begun = Date.now();
  const note = exampleNote({ id: plan.id, repository, seeds: [0], change: { paths: ['*.py'] } });
  const handle = await client.workflow.start<typeof ExperimentWorkflow>('ExperimentWorkflow', {
    workflowId: experimentWorkflowId(plan.id),
    taskQueue: queues.experiments,
    workflowTaskTimeout: stepTimeout,
    args: [
      {
        id: plan.id,
        source: { kind: 'note', note, body: '## Why\nTo see.\n' },
        by: 'bench',
        policy: { ...quickPolicy, githubPollSeconds: 5 },
      },
    ],
  });
  const inTime = new AbortController();
  const ended = ending(handle).finally(() => inTime.abort());
  await Promise.race([ended, pause(longestMs, inTime.signal)]);
  const stuck = inTime.signal.aborted ? [] : await describeStuck(client, handle.workflowId);
  const status = await askStatus(handle).catch((error: unknown) => {
    stuck.push(`it cannot tell its status: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  });
  if (!inTime.signal.aborted) await handle.terminate('it did not end in time');
  await ended;
  return { plan, status, stuck, seconds: (Date.now() - begun) / 1000 };
}

/** A failed experiment is an outcome like others; what it says of itself is asked afterwards. */
async function ending(handle: WorkflowHandle<typeof ExperimentWorkflow>): Promise<void> {
  try {
    await handle.result();
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
  }
}

async function judgeAll(world: BenchWorld, ends: readonly ExperimentEnd[]): Promise<string[]> {
  const merges = await readMerges(world);
  const problems: string[] = [];
  for (const end of ends) problems.push(...(await judgeExperiment(world, end, merges)));
  return problems;
}

/** From the base branch itself: the commits by the file of the experiment that each brings. */
async function readMerges({ lab, pi }: BenchWorld): Promise<Merges> {
  const address = `${lab.url.replace('://', `://x-access-token:${pi.token}@`)}/${repository}.git`;
  const folder = await mkdtemp(join(tmpdir(), 'hephaestus-bench-base-'));
  try {
    await execa('git', ['clone', '-q', '--bare', '--single-branch', address, folder]);
    const args = ['log', '--format=%x00%H', '--name-only', 'HEAD'];
    const { stdout } = await execa('git', args, { cwd: folder });
    const merges = new Map<string, string[]>();
    for (const part of stdout.split('\0').slice(1)) {
      const [sha = '', ...files] = part.split('\n').filter((line) => line !== '');
      for (const file of files) {
        const id = file.replace(/(?:-foreign)?\.py$/, '');
        merges.set(id, [...(merges.get(id) ?? []), sha]);
      }
    }
    return merges;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
