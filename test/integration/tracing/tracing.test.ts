import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, expect, it } from 'vitest';

import { guardActivities } from '../../../activities/boundary.ts';
import { freePort } from '../../../infra/free-port.ts';
import { Failure } from '../../../infra/failure.ts';
import { createTracing, type Tracing } from '../../../infra/tracing/create-tracing.ts';

interface SentSpan {
  readonly traceId: string;
  readonly name: string;
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
  readonly status: { readonly code: number };
}

interface Sent {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[];
  }[];
}

const canary = 'canary-of-a-token';
const statusError = 2;
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A collector that keeps what it is sent. */
async function openCollector() {
  const spans: SentSpan[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const { resourceSpans } = (await json(request)) as Sent;
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
      response.setHeader('content-type', 'application/json').end('{}');
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => {
    server.close();
    await once(server, 'close');
  });
  return { spans, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const { look, wait, refuse } = guardActivities({
  look: async () => 'seen',
  wait: async () => {
    throw new Failure('JobUnchanged', `job-1 is still queued ${canary}`, { retryAfterMs: 1000 });
  },
  refuse: async () => {
    throw new Failure('QizhiForbidden', `the platform refuses ${canary}`);
  },
});

async function run(tracing: Tracing, workflowId: string, name: string, activity: () => Promise<unknown>) {
  const info = { activityType: name, workflowExecution: { workflowId, runId: 'run-1' } };
  const environment = new MockActivityEnvironment(info, { interceptors: [tracing.activityInterceptor] });
  return environment.run(activity);
}

it('makes one trace of an experiment, of its jobs too, and another of another one', async () => {
  const { spans, url } = await openCollector();
  const tracing = createTracing(url);
  await run(tracing, 'experiment/one-idea', 'look', look);
  await run(tracing, 'experiment/one-idea/attempt/1/seed/0', 'look', look);
  await run(tracing, 'experiment/another-idea', 'look', look);
  await tracing.close();
  const [first, second, third] = spans.map(({ traceId }) => traceId);
  expect(first).toMatch(/^[0-9a-f]{32}$/);
  expect(second).toBe(first);
  expect(third).not.toBe(first);
  expect(spans[1]?.attributes).toContainEqual({
    key: 'hephaestus.experiment',
    value: { stringValue: 'one-idea' },
  });
});

it('tells an error by its type, waiting as none, and the words of neither', async () => {
  const { spans, url } = await openCollector();
  const tracing = createTracing(url);
  await expect(run(tracing, 'experiment/one-idea', 'wait', wait)).rejects.toThrow('still queued');
  await expect(run(tracing, 'experiment/one-idea', 'refuse', refuse)).rejects.toThrow('refuses');
  await tracing.close();
  const [waited, refused] = spans;
  expect(waited?.status.code).not.toBe(statusError);
  expect(refused?.status).toMatchObject({ code: statusError, message: 'QizhiForbidden' });
  expect(JSON.stringify(spans)).not.toContain(canary);
});

it('costs an activity nothing when the collector is away', async () => {
  const tracing = createTracing(`http://127.0.0.1:${await freePort()}`);
  await expect(run(tracing, 'experiment/one-idea', 'look', look)).resolves.toBe('seen');
  await tracing.close().catch((error: unknown) => expect(error).toBeInstanceOf(Error));
});
