import { access, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Client, Connection } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';

import { startDevServer, type DevServer } from '../../infra/temporal/dev-server.ts';
import { ensureSearchAttributes } from '../../infra/temporal/search-attributes.ts';
import { unlessMissing } from '../../infra/unless-missing.ts';
import { deployment } from '../../workers/deployment.ts';
import { decideUpdate, queues } from '../../workflows/contract.ts';
import { reaches } from '../support/follow-experiment.ts';
import { head, scriptedWorld } from '../support/scripted-activities.ts';
import {
  quietRuntime,
  startExperiment,
  startWorkers,
  workflowsPath,
} from '../support/temporal-environment.ts';
import { workflowTaskOptions } from '../../workers/workflow-task-options.ts';

const root = join(import.meta.dirname, '..', '..');
/** The version that people run now: the newest release, or what this commit was made from. */
const before = await olderCommit();

let folder: string;
let server: DevServer;
let connection: NativeConnection;
let clientConnection: Connection;

beforeAll(async () => {
  if (before === null) return;
  quietRuntime();
  folder = await mkdtemp(join(tmpdir(), 'hephaestus-upgrade-'));
  server = await startDevServer({ temporal: inject('tools').temporal });
  connection = await NativeConnection.connect({ address: server.address });
  clientConnection = await Connection.connect({ address: server.address });
  await ensureSearchAttributes(clientConnection, server.namespace);
});

afterAll(async () => {
  if (before === null) return;
  await clientConnection.close();
  await connection.close();
  await server.close();
  await execa('git', ['worktree', 'remove', '--force', join(folder, 'before')], { cwd: root, reject: false });
  await rm(folder, { recursive: true, force: true });
});

it.skipIf(before === null)(
  'an experiment that began with the version before ends with this one',
  async () => {
    const client = new Client({ connection: clientConnection, namespace: server.namespace });
    const world = { current: scriptedWorld() };
    const stopActivities = await startWorkers(connection, await bundleOf(workflowsPath), world, [
      queues.experiments,
    ]);

    const earlier = await startWorkflowWorker(
      await bundleOf(await checkOut(before ?? '')),
      'the-version-before',
    );
    const handle = await startExperiment(client);
    await reaches(handle, 'deciding');
    await earlier.stop();

    const { buildId } = deployment.workerDeploymentOptions.version;
    const now = await startWorkflowWorker(await bundleOf(workflowsPath), buildId);
    await handle.executeUpdate(decideUpdate, { args: [{ kind: 'merge', by: 'pi', head }] });
    expect(await handle.result()).toMatchObject({ outcome: 'merged' });
    const history = JSON.stringify(await handle.fetchHistory());
    expect(history).toContain('the-version-before');
    expect(history).toContain(`"buildId":"${buildId}"`);
    await now.stop();
    await stopActivities();
  },
);

async function startWorkflowWorker(workflowBundle: WorkflowBundleWithSourceMap, buildId: string) {
  const worker = await Worker.create({
    connection,
    taskQueue: queues.experiments,
    workflowBundle,
    ...workflowTaskOptions,
    workerDeploymentOptions: {
      ...deployment.workerDeploymentOptions,
      version: { ...deployment.workerDeploymentOptions.version, buildId },
    },
  });
  const running = worker.run();
  return {
    stop: async () => {
      worker.shutdown();
      await running;
    },
  };
}

function bundleOf(path: string): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({ workflowsPath: path, logger: new DefaultLogger('ERROR') });
}

/** The workflows of an older commit, with the modules of this one. */
async function checkOut(commit: string): Promise<string> {
  const place = join(folder, 'before');
  await execa('git', ['worktree', 'add', '--detach', place, commit], { cwd: root });
  await symlink(join(root, 'node_modules'), join(place, 'node_modules'));
  return join(place, 'workflows', 'index.ts');
}

/** Null where there is no history of commits to take one from. */
async function olderCommit(): Promise<string | null> {
  if ((await unlessMissing(access(join(root, '.git')).then(() => true))) === undefined) return null;
  const tag = await execa('git', ['describe', '--tags', '--abbrev=0', '--match', 'v*'], {
    cwd: root,
    reject: false,
  });
  if (tag.exitCode === 0) return tag.stdout;
  const parent = await execa('git', ['rev-parse', '--verify', '--quiet', 'HEAD^'], {
    cwd: root,
    reject: false,
  });
  return parent.exitCode === 0 ? parent.stdout : null;
}
