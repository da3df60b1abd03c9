import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';

import type { ExperimentStatus } from '../../../domain/experiment.ts';
import { experimentWorkflowId, jobWorkflowId } from '../../../domain/ids.ts';
import { endedStatuses } from '../../../infra/lab/qizhi/job.ts';
import type { Tools } from '../../../infra/tools/ensure-tools.ts';
import { queues, stepTimeout } from '../../../workflows/contract.ts';
import type { ExperimentWorkflow } from '../../../workflows/index.ts';
import { exampleNote } from '../../support/example-note.ts';
import { quickPolicy } from '../../support/temporal-environment.ts';
import { askStatus } from './ask-status.ts';
import { openBenchWorld, type BenchWorld } from './bench-world.ts';
import { chance } from './chance.ts';
import { tally } from '../counts.ts';
import type { ChaosReport } from './chaos-report.ts';
import { describeStuck } from './describe-stuck.ts';
import { startDoubler } from './doubler.ts';
import { attemptsAllowed, drawExperiment, trainingCommand, type ExperimentPlan } from './experiment-plan.ts';
import { chaosFaults } from './faults.ts';
import { judgeExperiment, type ExperimentEnd } from './judge.ts';
import { aliveProcesses, knownProcess, type KnownProcess } from './processes.ts';
import { pause } from '../../../infra/pause.ts';
import { doInFlight } from '../run-sections.ts';
import { startPerson } from './person.ts';
import { keepEvidence, replayAll } from './replay.ts';
import { readSubmission } from './submissions.ts';
import { byName, readTruth } from './truth.ts';
import { startMortalWorkers } from './worker-processes.ts';

export interface ChaosOptions {
  readonly experiments: number;
  readonly seed: number;
  readonly inFlight: number;
  /** Share of the jobs that meets each mishap of the cluster; most of them take the product minutes to believe. */
  readonly mishapRate: number;
  /** Of a worker process until it is killed, ms on average. */
  readonly meanLifeMs: number;
  /** What has not ended so long after its start counts as wrong. */
  readonly longestMs: number;
  readonly say: (line: string) => void;
}

/** Share of the requests that meets each kind of fault. */
const faultRate = 0.05;
/** Far above the pace of the product, so that much happens in little time. */
const requestsPerSecond = 100;
/** Six seconds: most jobs have claimed their attempt by then, and a few are still on their way. */
const unknownDeadlineMinutes = 0.1;
/** How long jobs may take to end that nobody waits for, those of requests that are delivered twice. */
const lastJobsMs = 60_000;

/**
 * Experiments with everything going wrong by chance: faults of every kind, mishaps on the cluster, requests delivered
 * twice, and worker processes that are killed. Afterwards what each experiment says of itself is compared with what was
 * drawn for it and with what really happened.
 */
export async function runChaos(
  tools: Pick<Tools, 'temporal' | 'uv'>,
  options: ChaosOptions,
): Promise<ChaosReport> {
  const world = await openBenchWorld(tools);
  const server = await knownProcess(world.server.pid);
  let report: ChaosReport;
  let workers: readonly KnownProcess[];
  try {
    ({ report, workers } = await endure(world, options));
  } finally {
    await world.close();
  }
  const left = await aliveProcesses([...workers, server], world.directory);
  return { ...report, problems: [...report.problems, ...left.map((each) => `left a process: ${each}`)] };
}

async function endure(world: BenchWorld, options: ChaosOptions) {
  const { seed, say } = options;
  const begun = Date.now();
  const plans = Array.from({ length: options.experiments }, (_, index) => drawExperiment(seed, index));
  await makeTrouble(world, options);
  let lives = 0;
  const settings = [
    world.workerSettings('control', requestsPerSecond),
    world.workerSettings('control', requestsPerSecond),
    world.workerSettings('networked', requestsPerSecond),
  ];
  const workers = await startMortalWorkers(settings, {
    meanLifeMs: options.meanLifeMs,
    draw: () => chance(seed, 'life', (lives += 1)),
  });
  let ends: ExperimentEnd[];
  const person = startPerson(world, new Map(plans.map((plan) => [plan.id, plan])));
  const doubler = startDoubler(world, plans);
  try {
    ends = await doInFlight(plans, options, (plan) => runExperiment(world, plan, options.longestMs));
    await quiet(world);
  } finally {
    await Promise.all([doubler.stop(), person.stop(), workers.stop()]);
  }
  say('all have ended; comparing with what really happened');
  const judged = await judgeAll(world, ends);
  const report: ChaosReport = {
    ...judged,
    seconds: (Date.now() - begun) / 1000,
    experiments: plans.length,
    answers: person.answers,
    words: person.words,
    unanswered: person.troubles.length,
    doubled: doubler.doubled(),
    kills: workers.kills(),
    lab: await world.lab.stats(),
    faults: await world.lab.faultsMet(),
  };
  return { report, workers: workers.processes() };
}

async function makeTrouble({ lab }: BenchWorld, { seed, mishapRate }: ChaosOptions): Promise<void> {
  await lab.change({
    times: { creatingMs: 100, queuingMs: 100, conflictMs: 500, graceMs: 20_000, restartingMs: 100 },
    cluster: { gpus: 1000 },
    draws: {
      seed,
      withinMs: 1000,
      preempt: mishapRate,
      evict: mishapRate,
      restart: mishapRate,
      nodeLoss: mishapRate,
      queueOut: mishapRate,
      createFailed: mishapRate,
      preCheckFailed: mishapRate,
    },
  });
  for (const fault of chaosFaults(faultRate, seed)) await lab.addFault(fault);
}

async function runExperiment(
  world: BenchWorld,
  plan: ExperimentPlan,
  longestMs: number,
): Promise<ExperimentEnd> {
  const { client } = world;
  const begun = Date.now();
  await world.prepareSource(plan.id);
  const base = exampleNote();
  const note = exampleNote({
    id: plan.id,
    seeds: [0],
    job: { ...base.job, command: trainingCommand(plan) },
    budget: { gpu_hours: 8, attempts: attemptsAllowed },
  });
  const handle = await client.workflow.start<typeof ExperimentWorkflow>('ExperimentWorkflow', {
    workflowId: experimentWorkflowId(plan.id),
    taskQueue: queues.experiments,
    workflowTaskTimeout: stepTimeout,
    args: [
      {
        id: plan.id,
        source: { kind: 'note', note, body: '## Why\nTo see.\n' },
        by: 'bench',
        policy: { ...quickPolicy, unknownDeadlineMinutes },
      },
    ],
  });
  const ended = ending(handle);
  const inTime = new AbortController();
  await Promise.race([ended.finally(() => inTime.abort()), pause(longestMs, inTime.signal)]);
  const stuck = inTime.signal.aborted ? [] : await describeStuck(client, handle.workflowId);
  const status = await askStatus(handle).catch((error: unknown) => {
    stuck.push(`it cannot tell its status: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  });
  if (stuck.length > 0) stuck.push(`kept in ${await keepEvidence(client, handle.workflowId)}`);
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

/** Waits until no job is on its way any more, as far as that comes by itself. */
async function quiet({ lab }: BenchWorld): Promise<void> {
  const limit = Date.now() + lastJobsMs;
  const open = async () => (await lab.jobs()).some(({ status }) => !endedStatuses.has(status));
  while (Date.now() < limit && (await open())) await pause(500);
}

async function judgeAll(world: BenchWorld, ends: readonly ExperimentEnd[]) {
  const jobs = byName(await world.lab.jobs());
  const problems: string[] = [];
  const submissions = [];
  const workflowIds = ends.map(({ plan }) => experimentWorkflowId(plan.id));
  let turnedAway = 0;
  for (const end of ends) {
    const truths = await readTruth(world.sharedDir, end.plan.id, jobs);
    problems.push(...judgeExperiment(end, truths));
    for (const { attempt, seed, turnedAway: left, jobs: made } of truths) {
      turnedAway += left.length;
      const workflowId = jobWorkflowId(end.plan.id, attempt, seed);
      const submission = await readSubmission(world.client, end.plan.id, attempt, seed);
      if (submission !== null) {
        workflowIds.push(workflowId);
        submissions.push(submission);
      } else if (made.length > 0) {
        problems.push(`${workflowId} never began, and ${made.length} jobs of it are on the platform`);
      }
    }
  }
  problems.push(...(await replayAll(world.client, world.bundleFile, workflowIds)));
  return {
    problems,
    turnedAway,
    slowestSeconds: Math.max(0, ...ends.map(({ seconds }) => seconds)),
    attempts: submissions.length,
    outcomes: tally(ends.map(({ status }) => outcomeOf(status))),
    submissions: tally(submissions.map(({ answer }) => answer)),
    settled: tally(submissions.flatMap(({ settledBy }) => settledBy ?? [])),
    mostEvents: Math.max(0, ...submissions.map(({ events }) => events)),
  };
}

function outcomeOf(status: ExperimentStatus | null): string {
  if (status === null) return 'not known';
  return status.failure === null ? status.phase : `${status.phase} (${status.failure.type})`;
}
