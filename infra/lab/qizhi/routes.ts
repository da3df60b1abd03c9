import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

import type { Isolation } from '../../isolation/isolation.ts';
import type { Account } from './accounts.ts';
import { Fault, type Faults, type Question } from './faults.ts';
import type { JobStore } from './job-store.ts';
import type { Openapi } from './openapi.ts';
import { jobsPage } from './page.ts';

const paths: Readonly<Record<Question, string>> = {
  token: '/auth/token',
  create: '/openapi/v1/train_job/create',
  detail: '/openapi/v1/train_job/detail',
  stop: '/openapi/v1/train_job/stop',
};

/** The platform's own addresses. */
export function addOpenapiRoutes(server: FastifyInstance, openapi: Openapi, faults: Faults): void {
  for (const [on, path] of Object.entries(paths) as [Question, string][]) {
    server.post(path, async (request, reply) => {
      const fault = faults.take(on);
      if (fault !== undefined && fault.delayMs > 0) await sleep(fault.delayMs);
      const call = { on, raw: bodyOf(request), authorization: request.headers.authorization };
      const outcome = await openapi.answer(call, fault);
      if (outcome === 'drop') return drop(request, reply);
      return reply
        .code(outcome.status)
        .headers(outcome.headers ?? {})
        .type(outcome.type)
        .send(outcome.body);
    });
  }
  server.setNotFoundHandler(async (_request, reply) =>
    reply.code(404).type('text/plain').send('404 page not found'),
  );
}

/** Bodies are kept as they came: the platform's parser tells the place of a fault in them. */
function bodyOf(request: FastifyRequest): string {
  return typeof request.body === 'string' ? request.body : '';
}

function drop(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.hijack();
  request.raw.socket.destroy();
  return reply;
}

const Shown = z.strictObject({
  status: z.string().min(1),
  reason: z.string().default(''),
  round: z.int().default(1),
});

export interface LabRoutesOptions {
  readonly store: JobStore;
  readonly account: Account;
  readonly faults: Faults;
  readonly openapi: Openapi;
  readonly isolation: Isolation;
  /** What the last turn of the scheduler failed with, '' when it did not. */
  readonly trouble: () => string;
}

interface JobRoute {
  Params: { readonly id: string };
}

/** What the real platform does not have: faults on request, and pages without a login. */
export function addLabRoutes(server: FastifyInstance, options: LabRoutesOptions): void {
  const { store, account, faults, openapi, isolation } = options;

  server.get('/', async (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(jobsPage([...store.jobs.values()], isolation)),
  );
  server.get<JobRoute>('/jobs/:id/output', async (request, reply) => {
    const job = store.jobs.get(request.params.id);
    if (job === undefined) return reply.code(404).type('text/plain').send('no such job');
    const path = join(store.folder(job.id), 'worker-0', 'output.log');
    reply.type('text/plain; charset=utf-8');
    return (await exists(path))
      ? reply.send(createReadStream(path))
      : reply.send('nothing was written yet\n');
  });

  server.get('/_lab/faults', async () => faults.list());
  server.post('/_lab/faults', async (request, reply) => {
    const fault = Fault.safeParse(JSON.parse(bodyOf(request)));
    if (!fault.success) return reply.code(400).send({ error: z.prettifyError(fault.error) });
    faults.add(fault.data);
    return reply.code(201).send(fault.data);
  });
  server.delete('/_lab/faults', async (_request, reply) => {
    faults.clear();
    return reply.code(204).send();
  });
  server.get('/_lab/stats', async () => ({
    ...account.counts,
    ...openapi.counts,
    jobs: store.jobs.size,
    trouble: options.trouble(),
  }));
  server.get('/_lab/jobs', async () => [...store.jobs.values()]);
  server.put<JobRoute>('/_lab/jobs/:id/shown', async (request, reply) => {
    const job = store.jobs.get(request.params.id);
    const shown = Shown.nullable().safeParse(JSON.parse(bodyOf(request)));
    if (job === undefined || !shown.success)
      return reply.code(400).send({ error: 'no such job, or no such status' });
    job.shown = shown.data;
    await store.save(job);
    return reply.code(204).send();
  });
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
