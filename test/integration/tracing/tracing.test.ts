import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import { expect, it } from 'vitest';

import { freePort } from '../../../infra/free-port.ts';
import { createTracing, type Tracing } from '../../../infra/tracing/create-tracing.ts';
import { startReceiver } from '../notifications/receivers.ts';

interface Sent {
  readonly traceId: string;
  readonly name: string;
  readonly status: { readonly code: number; readonly message?: string };
}

async function run({ interceptor }: Tracing, workflowId: string, act: () => Promise<unknown>): Promise<void> {
  const info = { activityType: 'createJob', workflowExecution: { workflowId, runId: 'run' } };
  const environment = new MockActivityEnvironment(info, { interceptors: [interceptor] });
  await environment.run(act).catch((error: unknown) => expect(error).toBeInstanceOf(ApplicationFailure));
}

it('makes one trace of an experiment, without looks that brought no news and without words of failures', async () => {
  const collector = await startReceiver(['takes'], {});
  const tracing = createTracing(collector.url, pino({ level: 'silent' }));
  await run(tracing, 'experiment/warm-up', async () => 'done');
  await run(tracing, 'experiment/warm-up/attempt/1/seed/0', async () => {
    throw ApplicationFailure.create({ type: 'QizhiUnavailable', message: 'canary' });
  });
  await run(tracing, 'experiment/warm-up', async () => {
    throw ApplicationFailure.create({ type: 'JobUnchanged', category: ApplicationFailureCategory.BENIGN });
  });
  await run(tracing, 'experiment/other', async () => 'done');
  await tracing.close();
  const text = JSON.stringify(collector.posted.map(({ body }) => body));
  await collector.close();
  expect(collector.posted.map(({ path }) => path)).toEqual(['/v1/traces']);
  const spans = spansIn(collector.posted[0]?.body);
  expect(spans.map(({ name }) => name)).toEqual(['createJob', 'createJob', 'createJob']);
  const [first, failed, other] = spans;
  expect(failed?.traceId).toBe(first?.traceId);
  expect(other?.traceId).not.toBe(first?.traceId);
  expect(failed?.status).toMatchObject({ code: 2, message: 'QizhiUnavailable' });
  expect(text).toContain('hephaestus.experiment');
  expect(text).not.toContain('canary');
});

it('does not matter when the collector is away', async () => {
  const tracing = createTracing(`http://127.0.0.1:${await freePort()}`, pino({ level: 'silent' }));
  await run(tracing, 'experiment/warm-up', async () => 'done');
  await tracing.close();
});

function spansIn(body: unknown): Sent[] {
  const { resourceSpans } = body as {
    readonly resourceSpans: readonly {
      readonly scopeSpans: readonly { readonly spans: readonly Sent[] }[];
    }[];
  };
  return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
}
