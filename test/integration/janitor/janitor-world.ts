import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';

import { createAttemptsActivities } from '../../../activities/attempts/create-attempts-activities.ts';
import type { JobKey } from '../../../activities/attempts/interface.ts';
import { createJanitorActivities } from '../../../activities/janitor/create-janitor-activities.ts';
import { createJanitorDiskActivities } from '../../../activities/janitor/create-janitor-disk-activities.ts';
import { createQizhiActivities } from '../../../activities/qizhi/create-qizhi-activities.ts';
import { experimentWorkflowId, jobWorkflowId } from '../../../domain/ids.ts';
import type { JanitorFinding, JanitorInput, JanitorReport } from '../../../domain/orphan.ts';
import { expect, vi } from 'vitest';
import { startDevServer, type DevServer } from '../../../infra/temporal/dev-server.ts';
import { ensureSearchAttributes } from '../../../infra/temporal/search-attributes.ts';
import { heartbeatInterceptor } from '../../../workers/heartbeat-interceptor.ts';
import type { JanitorProgress } from '../../../workflows/janitor-workflow.ts';
import { queues, searchAttributes } from '../../../workflows/contract.ts';
import { quietRuntime } from '../../support/temporal-environment.ts';
import { openLab, type Lab } from '../qizhi/lab.ts';
import type { ExperimentWorkflow, JanitorWorkflow, JobWorkflow } from './owner-workflows.ts';
import { workflowTaskOptions } from '../../../workers/workflow-task-options.ts';

/** A real Temporal server with the janitor and workflows that own jobs by saying so. */
export interface JanitorTemporal {
  readonly client: Client;
  readonly server: DevServer;
  readonly connection: NativeConnection;
  readonly bundle: Awaited<ReturnType<typeof bundleWorkflowCode>>;
  close(): Promise<void>;
}

export async function startJanitorTemporal(temporal: string): Promise<JanitorTemporal> {
  quietRuntime();
  const workflowsPath = fileURLToPath(new URL('./owner-workflows.ts', import.meta.url));
  const [server, bundle] = await Promise.all([
    startDevServer({ temporal }),
    bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') }),
  ]);
  const clientConnection = await Connection.connect({ address: server.address });
  await ensureSearchAttributes(clientConnection, server.namespace);
  const connection = await NativeConnection.connect({ address: server.address });
  return {
    client: new Client({ connection: clientConnection, namespace: server.namespace }),
    server,
    connection,
    bundle,
    close: async () => {
      await clientConnection.close();
      await connection.close();
      await server.close();
    },
  };
}

interface RecordFile {
  readonly entries: readonly { readonly action: string; readonly outcome: string; readonly why: string }[];
}

/** Experiments that no other test has, since all share one Temporal. */
let experiments = 0;
let visits = 0;

/** A shared disk, a platform, and workers of both zones, for one test. */
export async function openJanitorWorld(
  { client, connection, bundle }: JanitorTemporal,
  { queuingMs = 50 }: { readonly queuingMs?: number } = {},
) {
  const sharedDir = await mkdtemp(join(tmpdir(), 'janitor-'));
  const disk = { sharedDir, jobSharedDir: sharedDir };
  let lab: Lab = await openLab({ queuingMs });
  const qizhi = lab.client();
  const attempts = createAttemptsActivities({ disk, wandb: {} });
  const activities = {
    ...attempts,
    ...createJanitorDiskActivities({ disk }),
    ...createQizhiActivities({ qizhi, requestsPerSecond: 50 }),
    ...createJanitorActivities({ qizhi, pauseMs: 10 }),
  };
  const workers = await Promise.all(
    [queues.experiments, queues.networked, queues.qizhi].map((taskQueue) =>
      Worker.create({
        connection,
        taskQueue,
        activities,
        interceptors: { activity: [heartbeatInterceptor] },
        ...(taskQueue === queues.experiments && { workflowBundle: bundle, ...workflowTaskOptions }),
      }),
    ),
  );
  const running = workers.map((worker) => worker.run());
  experiments += 1;
  const key: JobKey = { experimentId: `orphan-${process.pid}-${experiments}`, attempt: 1, seed: 0 };
  const folder = join(sharedDir, 'experiments', key.experimentId, 'attempts', '1', '0');
  return {
    key,
    folder,
    sharedDir,
    stats: () => lab.stats(),
    platformDown: () => lab.standIn.close({ keepJobs: true }),
    platformUp: async () => {
      lab = await openLab({
        queuingMs,
        directory: lab.directory,
        port: Number(new URL(lab.standIn.url).port),
      });
    },
    qizhi,
    client,
    /** The workflow of the attempt's job, once it has said which jobs it created. */
    own: async (jobIds: readonly string[]) => {
      const handle = await client.workflow.start<typeof JobWorkflow>('JobWorkflow', {
        workflowId: jobWorkflowId(key.experimentId, key.attempt, key.seed),
        taskQueue: queues.experiments,
        args: [jobIds],
      });
      await vi.waitFor(async () => {
        const recorded = (await handle.describe()).typedSearchAttributes.get(searchAttributes.jobIds);
        expect(recorded ?? []).toEqual(jobIds);
      }, 20_000);
      return handle;
    },
    experiment: () =>
      client.workflow.start<typeof ExperimentWorkflow>('ExperimentWorkflow', {
        workflowId: experimentWorkflowId(key.experimentId),
        taskQueue: queues.experiments,
      }),
    visit: async (input: Partial<JanitorInput> = {}, progress?: JanitorProgress): Promise<JanitorReport> => {
      visits += 1;
      return client.workflow.execute<typeof JanitorWorkflow>('JanitorWorkflow', {
        workflowId: `visit-${visits}`,
        taskQueue: queues.experiments,
        args: [{ dryRun: false, graceMinutes: 0, heartbeatSeconds: 1, ...input }, progress],
      });
    },
    findings: (report: JanitorReport): JanitorFinding[] =>
      report.findings.filter(({ attempt }) => attempt.startsWith(`${key.experimentId}/`)),
    record: async (path = join(folder, 'janitor.json')) =>
      JSON.parse(await readFile(path, 'utf8')) as RecordFile,
    close: async () => {
      for (const worker of workers) worker.shutdown();
      await Promise.all(running);
      await lab.remove();
      await rm(sharedDir, { recursive: true, force: true });
    },
  };
}

export type JanitorWorld = Awaited<ReturnType<typeof openJanitorWorld>>;
