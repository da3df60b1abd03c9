import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { createTracing } from '../../infra/tracing/create-tracing.ts';
import { freePort } from '../../infra/free-port.ts';
import { quietRuntime, workflowsPath } from '../support/temporal-environment.ts';

const directory = join(import.meta.dirname, 'histories');

let tracing: ReturnType<typeof createTracing>;
beforeAll(async () => {
  quietRuntime();
  // Nobody listens there: a collector that is away must not matter.
  tracing = createTracing(`http://127.0.0.1:${await freePort()}`);
});
afterAll(async () => {
  await tracing.close().catch((error: unknown) => {
    expect(error).toBeInstanceOf(Error);
  });
});

it.each(['merged.ExperimentWorkflow.json', 'retried.JobWorkflow.json', 'merged.SyncRunWorkflow.json'])(
  '%s, recorded without traces, replays with them',
  async (name) => {
    const history = JSON.parse(await readFile(join(directory, name), 'utf8')) as object;
    const workflowBundle = await bundleWorkflowCode({
      workflowsPath,
      logger: new DefaultLogger('ERROR'),
      plugins: [tracing.plugin],
    });
    await Worker.runReplayHistory({ workflowBundle, plugins: [tracing.plugin] }, history, `replay/${name}`);
  },
);
