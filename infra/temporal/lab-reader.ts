import type { Client, WorkflowExecutionInfo, WorkflowExecutionStatusName } from '@temporalio/client';
import PQueue from 'p-queue';

import type { ExperimentStatus } from '../../domain/experiment.ts';
import { experimentWorkflowId } from '../../domain/ids.ts';
import { searchAttributes, statusQuery } from '../../workflows/contract.ts';

/** One experiment as a look at the whole installation shows it. */
export interface LabExperiment {
  readonly id: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly execution: WorkflowExecutionStatusName;
  /** By Temporal's index, which may lag; the status is newer. */
  readonly phase: string | null;
  readonly outcome: string | null;
  readonly repository: string | null;
  readonly pullRequest: string | null;
  readonly gpuHours: number | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** The experiment's own answer; null when nobody gave one. */
  readonly status: ExperimentStatus | null;
}

/** Every experiment that runs, and those that ended last, each started again only by its latest life. */
export interface LabSight {
  /** ISO 8601, UTC. */
  readonly readAt: string;
  readonly experiments: readonly LabExperiment[];
  /** How many of them gave no answer of their own: no worker runs, or none that can. */
  readonly unanswered: number;
  readonly open: OpenWork;
}

/** What else is on its way. */
export interface OpenWork {
  /** Runs that have ended and are being brought to W&B. */
  readonly syncs: number;
  readonly oldestSyncAt: string | null;
  /** Messages to people. */
  readonly deliveries: number;
  /** Those that were given up, as long as Temporal keeps them. */
  readonly failedDeliveries: number;
}

export interface LabReader {
  /** What is known, no older than `maxAgeMs`; looks that are wanted at one time are one. Throws what the client throws. */
  read(maxAgeMs?: number): Promise<LabSight>;
}

export interface LabReaderOptions {
  readonly client: Client;
  /** Ended experiments that are told, the newest. */
  readonly ended?: number;
  /** Only those that ended after it: ISO 8601. */
  readonly endedAfter?: () => string;
}

const mostRunning = 1000;
const listDeadlineMs = 10_000;
const askDeadlineMs = 4000;
/** Each question makes a worker replay a history: few at one time leave it room for its work. */
const asksAtOnce = 4;
/** So many in a row without an answer mean that there is nobody: the others are not waited for. */
const enoughSilence = 3;

interface Answered {
  readonly historyLength: number;
  /** It had ended when it was asked, so that the answer stays true. */
  readonly final: boolean;
  readonly status: ExperimentStatus;
}

/**
 * Reads the state of the installation from Temporal's index and from the experiments themselves. An experiment is asked
 * again only when its history has grown, for each answer costs a worker a replay.
 */
export function createLabReader({ client, ended = 50, endedAfter }: LabReaderOptions): LabReader {
  const answers = new Map<string, Answered>();
  let last: { readonly at: number; readonly sight: LabSight } | null = null;
  let reading: Promise<LabSight> | null = null;

  const look = async (): Promise<LabSight> => {
    const listed = await listLatest(client, ended, endedAfter?.());
    const experiments = await askAll(client, listed, answers);
    const open = await findOpenWork(client);
    const seen = new Set(listed.map(({ runId }) => runId));
    for (const runId of answers.keys()) if (!seen.has(runId)) answers.delete(runId);
    const unanswered = experiments.filter(({ status }) => status === null).length;
    const sight = { readAt: new Date().toISOString(), experiments, unanswered, open };
    last = { at: performance.now(), sight };
    return sight;
  };

  return {
    async read(maxAgeMs = 0) {
      if (last !== null && performance.now() - last.at <= maxAgeMs) return last.sight;
      reading ??= look().finally(() => {
        reading = null;
      });
      return reading;
    },
  };
}

async function listLatest(
  client: Client,
  ended: number,
  endedAfter: string | undefined,
): Promise<WorkflowExecutionInfo[]> {
  const type = "WorkflowType = 'ExperimentWorkflow'";
  const after = endedAfter === undefined ? '' : ` AND CloseTime > '${endedAfter}'`;
  const running = await listUpTo(client, `${type} AND ExecutionStatus = 'Running'`, mostRunning);
  const closed = await listUpTo(client, `${type} AND ExecutionStatus != 'Running'${after}`, ended);
  const latest = new Map<string, WorkflowExecutionInfo>();
  for (const info of [...running, ...closed]) {
    const known = latest.get(info.workflowId);
    if (known === undefined || known.startTime < info.startTime) latest.set(info.workflowId, info);
  }
  return [...latest.values()];
}

async function listUpTo(client: Client, query: string, limit: number): Promise<WorkflowExecutionInfo[]> {
  const found: WorkflowExecutionInfo[] = [];
  await client.withDeadline(Date.now() + listDeadlineMs, async () => {
    for await (const info of client.workflow.list({ query, pageSize: Math.min(limit, 200) })) {
      found.push(info);
      if (found.length >= limit) return;
    }
  });
  return found;
}

async function findOpenWork(client: Client): Promise<OpenWork> {
  const running = "ExecutionStatus = 'Running'";
  const syncs = await listUpTo(client, `WorkflowType = 'SyncRunWorkflow' AND ${running}`, mostRunning);
  const oldest = Math.min(...syncs.map(({ startTime }) => startTime.getTime()));
  const count = async (query: string): Promise<number> => {
    const asked = client.withDeadline(Date.now() + listDeadlineMs, () => client.workflow.count(query));
    return (await asked).count;
  };
  return {
    syncs: syncs.length,
    oldestSyncAt: syncs.length === 0 ? null : new Date(oldest).toISOString(),
    deliveries: await count(`WorkflowType = 'DeliverWorkflow' AND ${running}`),
    failedDeliveries: await count("WorkflowType = 'DeliverWorkflow' AND ExecutionStatus = 'Failed'"),
  };
}

async function askAll(
  client: Client,
  listed: readonly WorkflowExecutionInfo[],
  answers: Map<string, Answered>,
): Promise<LabExperiment[]> {
  const queue = new PQueue({ concurrency: asksAtOnce });
  let silence = 0;
  const asked = listed.map((info) =>
    queue.add(async () => {
      const known = answers.get(info.runId);
      if (known?.final === true) return toExperiment(info, known.status);
      if (silence >= enoughSilence) return toExperiment(info, null);
      const answer = await ask(client, info, known);
      silence = answer === null ? silence + 1 : 0;
      if (answer !== null) answers.set(info.runId, answer);
      return toExperiment(info, answer?.status ?? null);
    }),
  );
  return Promise.all(asked);
}

/** Null when nobody answered in time, or could not; what is asked again at the next look. */
async function ask(
  client: Client,
  { workflowId, runId }: WorkflowExecutionInfo,
  known: Answered | undefined,
): Promise<Answered | null> {
  const handle = client.workflow.getHandle(workflowId, runId);
  try {
    return await client.withDeadline(Date.now() + askDeadlineMs, async () => {
      const { historyLength, status: execution } = await handle.describe();
      const final = execution.name !== 'RUNNING';
      if (known?.historyLength === historyLength) return { ...known, final };
      return { historyLength, final, status: await handle.query(statusQuery) };
    });
  } catch (error) {
    if (error instanceof Error) return null;
    throw error;
  }
}

function toExperiment(info: WorkflowExecutionInfo, status: ExperimentStatus | null): LabExperiment {
  const attributes = info.typedSearchAttributes;
  return {
    id: info.workflowId.slice(experimentWorkflowId('').length),
    workflowId: info.workflowId,
    runId: info.runId,
    execution: info.status.name,
    phase: attributes.get(searchAttributes.phase) ?? null,
    outcome: attributes.get(searchAttributes.outcome) ?? null,
    repository: attributes.get(searchAttributes.repository) ?? null,
    pullRequest: attributes.get(searchAttributes.pullRequest) ?? null,
    gpuHours: attributes.get(searchAttributes.gpuHours) ?? null,
    startedAt: info.startTime.toISOString(),
    endedAt: info.closeTime?.toISOString() ?? null,
    status,
  };
}
