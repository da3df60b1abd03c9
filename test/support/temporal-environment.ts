import { join } from 'node:path';

import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import {
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkflowBundleOption,
} from '@temporalio/worker';

import type {
  ExperimentInput,
  ExperimentPolicy,
  ExperimentSource,
  ExperimentStatus,
} from '../../domain/experiment.ts';
import type { TaskNote } from '../../domain/task-note.ts';
import { experimentWorkflowId } from '../../domain/ids.ts';
import { startDevServer, type DevServer } from '../../infra/temporal/dev-server.ts';
import { ensureSearchAttributes } from '../../infra/temporal/search-attributes.ts';
import { heartbeatInterceptor } from '../../workers/heartbeat-interceptor.ts';
import { keptBundle } from '../../workers/kept-bundle.ts';
import { queues, statusQuery, stepTimeout } from '../../workflows/contract.ts';
import type { ExperimentWorkflow } from '../../workflows/index.ts';
import { exampleNote } from './example-note.ts';
import { scriptedWorld, type ScriptedWorld } from './scripted-activities.ts';
import { workflowTaskOptions } from '../../workers/workflow-task-options.ts';

const root = join(import.meta.dirname, '..', '..');
export const workflowsPath = join(root, 'workflows', 'index.ts');

export const quickPolicy: ExperimentPolicy = {
  qizhiPollSeconds: 1,
  githubPollSeconds: 1,
  maxRepairs: 2,
  reviewDeadlineMinutes: 5,
  requiredChecks: [],
  requireCopilot: true,
  unknownDeadlineMinutes: 5,
};

/** A real Temporal server and a worker whose activities are scripted. */
export interface TemporalEnvironment {
  readonly client: Client;
  readonly server: DevServer;
  readonly bundle: WorkflowBundleOption;
  readonly world: { current: ScriptedWorld };
  close(): Promise<void>;
}

let quiet = false;

/** Workflow and native logs below an error are noise in a test's output. A process has one runtime: later calls change nothing. */
export function quietRuntime(): void {
  if (quiet) return;
  quiet = true;
  Runtime.install({
    logger: new DefaultLogger('ERROR', () => undefined),
    telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } },
  });
}

/** The workflows of this checkout, bundled once for all tests. */
export async function bundledWorkflows(): Promise<{ readonly codePath: string }> {
  return { codePath: await keptBundle(root) };
}

/** `without`: queues that the test serves itself. */
export async function startTemporalEnvironment(
  temporal: string,
  { without = [] }: { readonly without?: readonly string[] } = {},
): Promise<TemporalEnvironment> {
  quietRuntime();
  const [server, workflowBundle] = await Promise.all([startDevServer({ temporal }), bundledWorkflows()]);
  const clientConnection = await Connection.connect({ address: server.address });
  await ensureSearchAttributes(clientConnection, server.namespace);
  const connection = await NativeConnection.connect({ address: server.address });
  const world = { current: scriptedWorld() };
  const stopWorkers = await startWorkers(connection, workflowBundle, world, without);
  return {
    client: new Client({ connection: clientConnection, namespace: server.namespace }),
    server,
    bundle: workflowBundle,
    world,
    close: async () => {
      await stopWorkers();
      await clientConnection.close();
      await connection.close();
      await server.close();
    },
  };
}

/** Runs `act` on the scripted world. Worlds follow each other: an experiment ends within the world that it began in. */
export async function withWorld<T>(
  environment: TemporalEnvironment,
  world: ScriptedWorld,
  act: () => Promise<T>,
): Promise<T> {
  environment.world.current = world;
  return act();
}

/** Workers for every queue; each workflow task replays from the start, so that every test is one of determinism too. */
export async function startWorkers(
  connection: NativeConnection,
  workflowBundle: WorkflowBundleOption,
  world: { readonly current: ScriptedWorld },
  without: readonly string[] = [],
): Promise<() => Promise<void>> {
  const activities = Object.fromEntries(
    Object.keys(world.current.activities).map((name) => [
      name,
      async (input: never) =>
        (world.current.activities as unknown as Record<string, (input: never) => Promise<unknown>>)[name]?.(
          input,
        ),
    ]),
  );
  const workers = await Promise.all(
    Object.values(queues)
      .filter((queue) => !without.includes(queue))
      .map((taskQueue) =>
        Worker.create({
          connection,
          taskQueue,
          activities,
          interceptors: { activity: [heartbeatInterceptor] },
          ...(taskQueue === queues.experiments && { workflowBundle, ...workflowTaskOptions }),
        }),
      ),
  );
  const running = workers.map((worker) => worker.run());
  return async () => {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
  };
}

let experiments = 0;

/** Starts an experiment on the example note under an id of its own. */
export async function startExperiment(
  client: Client,
  overrides: {
    readonly note?: Parameters<typeof exampleNote>[0];
    readonly policy?: Partial<ExperimentPolicy>;
    readonly from?: ExperimentSource['kind'];
  } = {},
): Promise<WorkflowHandle<typeof ExperimentWorkflow>> {
  experiments += 1;
  const id = `experiment-${process.pid}-${experiments}`;
  const note = exampleNote({ id, seeds: [0], ...overrides.note });
  const input: ExperimentInput = {
    id,
    source: sourceOf(note, overrides.from ?? 'note'),
    by: 'test',
    policy: { ...quickPolicy, ...overrides.policy },
  };
  return client.workflow.start<typeof ExperimentWorkflow>('ExperimentWorkflow', {
    workflowId: experimentWorkflowId(id),
    taskQueue: queues.experiments,
    workflowTaskTimeout: stepTimeout,
    args: [input],
  });
}

function sourceOf(note: TaskNote, kind: ExperimentSource['kind']): ExperimentSource {
  const { repository, base } = note;
  const body = '## Why\nTo see.\n';
  if (kind === 'note') return { kind, note, body };
  if (kind === 'idea') return { kind, idea: 'warm the learning rate up', repository, base };
  const pullRequest = { number: 1, url: 'http://github.example/lab/digits/pull/1' };
  return { kind, note, body, branch: 'idea', pullRequest };
}

export async function statusOf(handle: WorkflowHandle<typeof ExperimentWorkflow>): Promise<ExperimentStatus> {
  return handle.query(statusQuery);
}
