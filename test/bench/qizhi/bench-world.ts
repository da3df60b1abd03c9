import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Client, Connection } from '@temporalio/client';
import { execa } from 'execa';

import {
  startQizhiStandIn,
  type QizhiStandInOptions,
} from '../../../infra/lab/qizhi/start-qizhi-stand-in.ts';
import { startDevServer, type DevServer } from '../../../infra/temporal/dev-server.ts';
import { ensureSearchAttributes } from '../../../infra/temporal/search-attributes.ts';
import type { Tools } from '../../../infra/tools/ensure-tools.ts';
import { writeProofBeside } from '../../support/proof-beside.ts';
import { createLabClient, type LabClient } from './lab-client.ts';
import type { WorkerSettings } from './worker-settings.ts';
import { bundledWorkflows } from '../../support/temporal-environment.ts';

export interface BenchAccount {
  readonly username: string;
  readonly password: string;
}

const account: BenchAccount = { username: 'researcher', password: 'bench-password' };

/** A real Temporal server, the lab's platform, and a shared disk with one trivial environment for all experiments. */
export interface BenchWorld {
  readonly client: Client;
  readonly server: DevServer;
  readonly lab: LabClient;
  readonly directory: string;
  readonly sharedDir: string;
  readonly bundleFile: string;
  workerSettings(zone: WorkerSettings['zone'], requestsPerSecond: number): WorkerSettings;
  /** The experiment's source as the start script needs it; returns its folder. */
  prepareSource(id: string): Promise<string>;
  close(): Promise<void>;
}

export async function openBenchWorld(
  tools: Pick<Tools, 'temporal' | 'uv'>,
  lab: Partial<QizhiStandInOptions> = {},
): Promise<BenchWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'hephaestus-bench-'));
  const sharedDir = join(directory, 'shared');
  const environment = join(directory, 'environment');
  const [server, workflowBundle, standIn] = await Promise.all([
    startDevServer({ temporal: tools.temporal }),
    bundledWorkflows(),
    startQizhiStandIn({ ...account, isolation: 'none', ...lab, directory: join(directory, 'qizhi') }),
    mkdir(sharedDir, { recursive: true }),
    execa(tools.uv, ['venv', '--quiet', '--no-config', '--relocatable', environment]),
  ]);
  await writeProofBeside(environment);
  const connection = await Connection.connect({ address: server.address });
  await ensureSearchAttributes(connection, server.namespace);
  return {
    client: new Client({ connection, namespace: server.namespace }),
    server,
    lab: createLabClient(standIn.url, account),
    directory,
    sharedDir,
    bundleFile: workflowBundle.codePath,
    workerSettings: (zone, requestsPerSecond) => ({
      zone,
      address: server.address,
      namespace: server.namespace,
      bundleFile: workflowBundle.codePath,
      sharedDir,
      qizhi: { baseUrl: standIn.url, ...account, requestsPerSecond },
    }),
    prepareSource: async (id) => {
      const source = join(sharedDir, 'experiments', id, 'source');
      await mkdir(source, { recursive: true });
      await symlink(environment, join(source, '.venv'));
      return source;
    },
    close: async () => {
      await connection.close();
      await server.close();
      await standIn.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
