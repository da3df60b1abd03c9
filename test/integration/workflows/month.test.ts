import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';

import { createQizhiActivities } from '../../../activities/qizhi/create-qizhi-activities.ts';
import { jobWorkflowId } from '../../../domain/ids.ts';
import { Failure } from '../../../infra/failure.ts';
import { createQizhiClient } from '../../../infra/qizhi/client.ts';
import { addSearchAttributes } from '../../../infra/temporal/search-attributes.ts';
import { decisionSignals } from '../../../workflows/contract.ts';
import { dayMs, seeVirtualJob, type VirtualJob, type VirtualSight } from '../../bench/qizhi/virtual-job.ts';
import { exampleNote } from '../../support/example-note.ts';
import { jobIdOf, scriptedWorld } from '../../support/scripted-activities.ts';
import {
  quietRuntime,
  startExperiment,
  startWorkers,
  statusOf,
  workflowsPath,
} from '../../support/temporal-environment.ts';

/** 9 days in the queue and 12 in training, in three stretches each: it is taken off its nodes twice. */
const job: VirtualJob = {
  jobId: jobIdOf(0),
  gpus: 8,
  stretches: [
    { days: 4, state: 'queued' },
    { days: 3, state: 'running' },
    { days: 3, state: 'queued' },
    { days: 5, state: 'running' },
    { days: 2, state: 'queued' },
    { days: 4, state: 'running' },
  ],
};
const gpuHours = 12 * 24 * job.gpus;
const hourMs = 3_600_000;
/** In the queue, in training, and just when the job ends, from the day of each on. */
const outages = { days: [1.9, 9.5, 20.95], lengthMs: 5 * hourMs };
const tokenLifetimeMs = 7 * dayMs;
const account = { username: 'researcher', password: 'month-password' };
/** So seldom that three weeks are over soon; right after a change, which is always by this clock, it is a third of it. */
const pollSeconds = 3 * 3600;

let env: TestWorkflowEnvironment;
let platform: Platform;
beforeAll(async () => {
  quietRuntime();
  env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: inject('tools').temporalTestServer } },
  });
  await addSearchAttributes(env.connection, 'default');
  platform = await startPlatform();
});
afterAll(async () => {
  platform.server.close();
  await env.teardown();
});

it('follows a job through three weeks, two preemptions, outages of hours and tokens that expire', async () => {
  const qizhi = createQizhiClient({
    baseUrl: platform.url,
    api: 'openapi',
    credential: { kind: 'login', ...account },
    clientSource: 'test',
    proxy: undefined,
    requestsPerSecond: 1000,
  });
  const world = scriptedWorld({
    ...createQizhiActivities({ qizhi, requestsPerSecond: 1000 }),
    awaitRecordsChange: async ({ since }) => {
      const { records } = await platform.see();
      const { claim, exit } = records;
      const fingerprint = claim === null ? 'nothing' : JSON.stringify([claim, exit]);
      if (fingerprint === since) {
        throw new Failure('RecordsUnchanged', 'nothing new', { retryAfterMs: pollSeconds * 1000 });
      }
      return { records, fingerprint };
    },
  });
  const bundle = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
  const stop = await startWorkers(env.nativeConnection, bundle, { current: world });
  const handle = await startExperiment(env.client, {
    policy: { qizhiPollSeconds: pollSeconds },
    note: {
      job: { ...exampleNote().job, max_hours: 13 * 24 },
      budget: { gpu_hours: 1.1 * gpuHours, attempts: 3 },
    },
  });
  let status = await statusOf(handle);
  while (status.phase !== 'deciding' && status.failure === null) {
    await env.sleep('12 hours');
    status = await statusOf(handle);
  }
  expect(status).toMatchObject({ phase: 'deciding', failure: null });
  await handle.signal(decisionSignals.merge);
  await expect(handle.result()).resolves.toMatchObject({ outcome: 'merged' });
  const id = handle.workflowId.slice('experiment/'.length);
  const history = await env.client.workflow.getHandle(jobWorkflowId(id, 1, 0)).fetchHistory();
  await stop();

  expect(platform.counts.create).toBe(1);
  expect(status.attempts.map(({ number, jobs }) => [number, jobs.map(({ jobId }) => jobId)])).toEqual([
    [1, [job.jobId]],
  ]);
  // The platform was last asked up to one interval before the job's own record told of its end, or could not be asked.
  const tolerance = ((pollSeconds * 1000 + outages.lengthMs) / hourMs) * job.gpus;
  expect(status.cost.gpuHours).toBeGreaterThan(gpuHours - tolerance);
  expect(status.cost.gpuHours).toBeLessThanOrEqual(gpuHours);
  expect(platform.counts.outage).toBeGreaterThanOrEqual(3);
  // The first one, and one for each week that was begun afterwards.
  expect(platform.counts.token).toBeGreaterThanOrEqual(3);
  expect(platform.counts.token).toBeLessThanOrEqual(4);
  // A week of the test server may pass in less than the seconds that the client leaves between two logins.
  expect(platform.counts.expired).toBeGreaterThanOrEqual(platform.counts.token - 1);
  // What happened costs events, the hundreds of looks in between do not.
  expect(history.events?.length).toBeLessThanOrEqual(25 * (job.stretches.length + 1));
});

interface Platform {
  readonly server: Server;
  readonly url: string;
  readonly counts: { token: number; create: number; detail: number; outage: number; expired: number };
  /** What both witnesses would truthfully say now, by the test server's clock. */
  see(): Promise<VirtualSight>;
}

/** The platform by the clock of the test server: a login that lasts a week, one job, and hours in which nothing answers. */
async function startPlatform(): Promise<Platform> {
  const counts = { token: 0, create: 0, detail: 0, outage: 0, expired: 0 };
  const issuedAt = new Map<string, number>();
  let createdAt = 0;
  const see = async (): Promise<VirtualSight> => seeVirtualJob(job, createdAt, await env.currentTimeMs());

  async function answer(path: string, authorization: string): Promise<{ status: number; body: string }> {
    const now = await env.currentTimeMs();
    if (createdAt > 0 && isOut(now - createdAt)) {
      counts.outage += 1;
      return { status: 502, body: '<html><h1>502 Bad Gateway</h1></html>' };
    }
    if (path === '/auth/token') {
      counts.token += 1;
      const token = `token-${counts.token}`;
      issuedAt.set(token, now);
      return enveloped(0, { access_token: token, expires_in: String(tokenLifetimeMs / 1000) });
    }
    if (now - (issuedAt.get(authorization.replace('Bearer ', '')) ?? -Infinity) > tokenLifetimeMs) {
      counts.expired += 1;
      return enveloped(-1, null);
    }
    if (path === '/openapi/v1/train_job/create') {
      counts.create += 1;
      createdAt = now;
      return enveloped(0, { job_id: job.jobId });
    }
    counts.detail += 1;
    return enveloped(0, detailOf(await see()));
  }

  const server = createServer((request, response) => {
    const answering = async (): Promise<void> => {
      await text(request);
      const { status, body } = await answer(request.url ?? '', request.headers.authorization ?? '');
      response.writeHead(status, { 'content-type': body.startsWith('{') ? 'application/json' : 'text/html' });
      response.end(body);
    };
    answering().catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, counts, see };
}

function isOut(ageMs: number): boolean {
  return outages.days.some((day) => ageMs >= day * dayMs && ageMs < day * dayMs + outages.lengthMs);
}

function detailOf({ observation }: VirtualSight): object {
  return {
    job_id: observation.jobId,
    status: observation.rawStatus,
    sub_msg: observation.reason,
    running_time_ms: String(observation.runningMs),
    current_running_round: observation.round,
    framework_config: [{ instance_count: 1, gpu_count: job.gpus }],
  };
}

function enveloped(code: number, data: unknown): { status: number; body: string } {
  return {
    status: 200,
    body: JSON.stringify({ code, message: code === 0 ? 'success' : 'token is expired', data }),
  };
}
