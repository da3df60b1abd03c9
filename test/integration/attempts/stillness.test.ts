import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';

import { createAttemptsActivities } from '../../../activities/attempts/create-attempts-activities.ts';
import { fingerprintOf } from '../../../activities/attempts/fingerprint.ts';
import { lookAtRecords } from '../../../activities/attempts/read-records.ts';
import { Stillness } from '../../../activities/attempts/silence.ts';
import { startDevServer, type DevServer } from '../../../infra/temporal/dev-server.ts';
import { heartbeatInterceptor } from '../../../workers/heartbeat-interceptor.ts';
import { quietRuntime } from '../../support/temporal-environment.ts';
import type { followRecords } from './follow-records.ts';

const taskQueue = 'records';
const key = { experimentId: 'warmup-cosine', attempt: 1, seed: 0 };

let shared: string;
let server: DevServer;
let connection: NativeConnection;
let client: Client;

beforeAll(async () => {
  quietRuntime();
  shared = await mkdtemp(join(tmpdir(), 'stillness-'));
  server = await startDevServer({ temporal: inject('tools').temporal });
  connection = await NativeConnection.connect({ address: server.address });
  client = new Client({
    connection: await Connection.connect({ address: server.address }),
    namespace: server.namespace,
  });
});
afterAll(async () => {
  await client.connection.close();
  await connection.close();
  await server.close();
  await rm(shared, { recursive: true, force: true });
});

async function withWorker<T>(act: () => Promise<T>): Promise<T> {
  const worker = await Worker.create({
    connection,
    namespace: server.namespace,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('follow-records.ts', import.meta.url)),
    activities: {
      ...createAttemptsActivities({ disk: { sharedDir: shared, jobSharedDir: shared }, wandb: {} }),
    },
    interceptors: { activity: [heartbeatInterceptor] },
  });
  return worker.runUntil(act);
}

/** What the server keeps of the looks so far, and how many there were. */
async function kept(handle: WorkflowHandle): Promise<{ readonly stillMs: number; readonly looks: number }> {
  const { raw } = await handle.describe();
  const pending = raw.pendingActivities?.[0];
  const payload = pending?.heartbeatDetails?.payloads?.[0];
  if (!payload) return { stillMs: 0, looks: 0 };
  const { stillMs } = Stillness.parse(defaultPayloadConverter.fromPayload(payload));
  return { stillMs, looks: pending.attempt ?? 0 };
}

it('goes on being measured over failed looks and another worker', async () => {
  const folder = join(shared, 'experiments', key.experimentId, 'attempts', '1', '0');
  await mkdir(join(folder, 'claim'), { recursive: true });
  await writeFile(join(folder, 'claim', 'job_id'), 'job-1\n');
  await writeFile(join(folder, 'heartbeat.json'), '{"at":1}');
  const since = fingerprintOf(await lookAtRecords(folder), false);
  const handle = await client.workflow.start<typeof followRecords>('followRecords', {
    taskQueue,
    workflowId: 'stillness',
    args: [{ ...key, since, pollSeconds: 0.2 }],
  });
  const before = await withWorker(async () =>
    vi.waitFor(async () => {
      const seen = await kept(handle);
      expect(seen.stillMs).toBeGreaterThan(1500);
      return seen;
    }, 30_000),
  );
  await withWorker(async () => {
    await vi.waitFor(async () => {
      const after = await kept(handle);
      expect(after.looks).toBeGreaterThan(before.looks + 1);
      expect(after.stillMs).toBeGreaterThan(before.stillMs);
    }, 30_000);
    await writeFile(join(folder, 'heartbeat.json'), '{"at":2}');
    await vi.waitFor(async () => expect((await kept(handle)).stillMs).toBeLessThan(before.stillMs), 30_000);
    await handle.terminate();
  });
});
