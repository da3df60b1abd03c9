import { access, constants, mkdir } from 'node:fs/promises';

import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';

import type { Config } from '../infra/config/config.ts';
import { describeForbidden, forbiddenCredentials } from '../infra/config/forbidden-credentials.ts';
import type { Zone } from '../infra/config/keys.ts';
import { readEnvironment, type Environment } from '../infra/env.ts';
import { createLog } from '../infra/log.ts';
import { createDataConverter } from '../infra/temporal/codec/create-data-converter.ts';
import { ensureJanitorSchedule } from '../infra/temporal/janitor-schedule.ts';
import { installRuntime } from '../infra/temporal/runtime.ts';
import { startNotifier } from '../infra/temporal/start-notifier.ts';
import { ensureSweepSchedule } from '../infra/temporal/sweep-schedule.ts';
import { ensureSearchAttributes } from '../infra/temporal/search-attributes.ts';
import { createTracing, type Tracing } from '../infra/tracing/create-tracing.ts';
import { ensureTools, type ToolName } from '../infra/tools/ensure-tools.ts';
import { toolsRoot } from '../infra/tools/tools-root.ts';
import { queues } from '../workflows/contract.ts';
import { controlZone } from './control-zone.ts';
import { deployment } from './deployment.ts';
import { heartbeatInterceptor } from './heartbeat-interceptor.ts';
import { localZone } from './local-zone.ts';
import { networkedZone } from './networked-zone.ts';
import { workflowCode } from './workflow-code.ts';
import { WorkerStartError } from './worker-start-error.ts';
import type { QueueActivities, ZoneContext } from './zone.ts';
import { workflowTaskOptions } from './workflow-task-options.ts';

const zoneActivities = { local: localZone, control: controlZone, networked: networkedZone } as const;

const zoneTools: Readonly<Record<Zone, readonly ToolName[]>> = {
  local: ['agents'],
  control: [],
  networked: ['agents', 'uv', 'wandb', 'python'],
};

/** Time that running activities get to end on a shutdown; what needs longer is tried again by another worker. */
const shutdownGraceTime = '10 seconds';

export interface RunWorkerOptions {
  readonly config: Config;
  readonly zones: readonly Zone[];
  /** Called once the worker polls every queue of its zones. */
  readonly onReady?: () => void;
}

/**
 * Serves the queues of the zones until the process is asked to end (SIGINT, SIGTERM). Throws `WorkerStartError` when it
 * must not start (a credential of another zone, a disk that cannot be written) and when Temporal cannot be reached.
 */
export async function runWorker({ config, zones, onReady }: RunWorkerOptions): Promise<void> {
  const environment = readEnvironment(process.cwd());
  refuseForbidden(environment, zones);
  if (config.sharedDisk !== null) await requireWritable(config.sharedDisk.sharedDir, 'HEPHAESTUS_SHARED_DIR');
  await requireWritable(config.home, 'HEPHAESTUS_HOME');
  startRuntime(config);
  const tracing =
    config.tracesUrl === null ? null : createTracing(config.tracesUrl, createLog(config.logLevel));
  const which = [...new Set(zones.flatMap((zone) => zoneTools[zone]))];
  const tools = await ensureTools({ root: toolsRoot(environment), which, environment });
  const connection = await connect(config);
  await prepareNamespace(config, zones);
  const context: ZoneContext = { config, tools, environment };
  const workers = await Promise.all([
    ...(zones.includes('control') ? [createWorkflowWorker(connection, config, zones)] : []),
    ...zones
      .flatMap((zone) => zoneActivities[zone](context))
      .map((queue) => createActivityWorker(connection, config, zones, queue, tracing)),
  ]);
  const running = workers.map((worker) => worker.run());
  onReady?.();
  await Promise.all(running);
  await connection.close();
  await tracing?.close();
}

function startRuntime({ logLevel, metrics }: Config): void {
  try {
    installRuntime(createLog(logLevel), metrics);
  } catch (error) {
    if (metrics === null) throw error;
    throw new WorkerStartError(
      'configuration',
      `HEPHAESTUS_METRICS_PORT is ${metrics.port}, on which figures cannot be told ` +
        `(${error instanceof Error ? error.message : String(error)}): expected a free port of ${metrics.host}; name another one`,
      error,
    );
  }
}

function refuseForbidden(environment: Environment, zones: readonly Zone[]): void {
  const names = forbiddenCredentials(environment, zones);
  if (names.length > 0) throw new WorkerStartError('configuration', describeForbidden(names, zones));
}

async function requireWritable(directory: string, key: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    await access(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new WorkerStartError(
      'configuration',
      `${key} is ${directory}, which cannot be written (${error instanceof Error ? error.message : String(error)}): ` +
        'expected a folder that this user may write; make it writable, or name another one',
      error,
    );
  }
}

async function connect({ temporal }: Config): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect(temporal.connectionOptions);
  } catch (error) {
    throw new WorkerStartError(
      'unreachable',
      `Temporal at ${temporal.address} cannot be reached: start it (\`temporal server start-dev\`), or set TEMPORAL_ADDRESS`,
      error,
    );
  }
}

async function prepareNamespace(
  { temporal, janitor, sync, notifications }: Config,
  zones: readonly Zone[],
): Promise<void> {
  if (!zones.includes('control') && sync === null) return;
  const { address, apiKey, tls, metadata } = temporal.connectionOptions;
  const connection = await Connection.connect({
    ...(address !== undefined && { address }),
    ...(apiKey !== undefined && { apiKey }),
    ...(tls !== undefined && { tls }),
    ...(metadata !== undefined && { metadata }),
  });
  try {
    const client = new Client({
      connection,
      namespace: temporal.namespace,
      dataConverter: createDataConverter(temporal.payloads, { from: 'client' }),
    });
    if (sync !== null) await ensureSweepSchedule(client, sync);
    if (!zones.includes('control')) return;
    await ensureSearchAttributes(connection, temporal.namespace);
    await ensureJanitorSchedule(client, janitor);
    if (notifications !== null) await startNotifier(client);
  } finally {
    await connection.close();
  }
}

function common(connection: NativeConnection, { temporal }: Config, zones: readonly Zone[]) {
  return {
    connection,
    namespace: temporal.namespace,
    // People see this in the Web UI; a host name would go into every history.
    identity: `hephaestus ${zones.join('+')} ${process.pid}`,
    shutdownGraceTime,
    ...deployment,
  } as const;
}

async function createWorkflowWorker(
  connection: NativeConnection,
  config: Config,
  zones: readonly Zone[],
): Promise<Worker> {
  return Worker.create({
    ...common(connection, config, zones),
    taskQueue: queues.experiments,
    dataConverter: createDataConverter(config.temporal.payloads, { from: 'workflows' }),
    ...(await workflowCode()),
    ...workflowTaskOptions,
  });
}

function createActivityWorker(
  connection: NativeConnection,
  config: Config,
  zones: readonly Zone[],
  { queue, activities, concurrency, activitiesPerSecond }: QueueActivities,
  tracing: Tracing | null,
): Promise<Worker> {
  return Worker.create({
    ...common(connection, config, zones),
    taskQueue: queues[queue],
    dataConverter: createDataConverter(config.temporal.payloads, { from: 'activities' }),
    activities,
    maxConcurrentActivityTaskExecutions: concurrency,
    ...(activitiesPerSecond !== undefined && { maxTaskQueueActivitiesPerSecond: activitiesPerSecond }),
    interceptors: { activity: [heartbeatInterceptor, ...(tracing === null ? [] : [tracing.interceptor])] },
  });
}
