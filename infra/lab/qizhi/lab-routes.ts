import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';

import type { Isolation } from '../../isolation/isolation.ts';
import { unlessMissing } from '../../unless-missing.ts';
import type { Account } from './accounts.ts';
import { Fault, type Faults } from './faults.ts';
import type { JobStore } from './job-store.ts';
import { jobsPage } from './page.ts';
import { bodyOf } from './platform-routes.ts';
import type { LiveSettings } from './settings.ts';
import type { Stats } from './stats.ts';

const Shown = z.strictObject({
  status: z.string().min(1),
  reason: z.string().default(''),
  round: z.int().default(1),
});
const AccountChange = z.strictObject({ locked: z.boolean() });

export interface LabRoutesOptions {
  readonly store: JobStore;
  readonly account: Account;
  readonly settings: LiveSettings;
  readonly faults: Faults;
  readonly stats: Stats;
  readonly isolation: Isolation;
  /** What the last turn of the scheduler failed with, '' when it did not. */
  readonly trouble: () => string;
}

interface JobRoute {
  Params: { readonly id: string };
}

/** What the real platform does not have: faults on request, and pages without a login. */
export function addLabRoutes(server: FastifyInstance, options: LabRoutesOptions): void {
  const { store, account, settings, faults, stats, isolation } = options;

  server.get('/', async (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(jobsPage([...store.jobs.values()], isolation)),
  );
  server.get<JobRoute>('/jobs/:id/output', async (request, reply) => {
    const job = store.jobs.get(request.params.id);
    if (job === undefined) return reply.code(404).type('text/plain').send('no such job');
    const path = join(store.folder(job.id), 'worker-0', 'output.log');
    reply.type('text/plain; charset=utf-8');
    return (await unlessMissing(stat(path))) !== undefined
      ? reply.send(createReadStream(path))
      : reply.send('nothing was written yet\n');
  });

  server.get('/_lab/faults', async () => faults.list());
  server.post('/_lab/faults', async (request, reply) =>
    withBody(Fault, bodyOf(request), reply, (fault) => {
      faults.add(fault);
      return reply.code(201).send(fault);
    }),
  );
  server.delete('/_lab/faults', async (_request, reply) => {
    faults.clear();
    return reply.code(204).send();
  });

  server.get('/_lab/settings', async () => settings.current);
  server.put('/_lab/settings', async (request, reply) =>
    withBody(z.unknown(), bodyOf(request), reply, (change) => reply.send(settings.change(change))),
  );
  server.delete('/_lab/settings', async () => settings.reset());

  server.get('/_lab/account', async () => account.state());
  server.put('/_lab/account', async (request, reply) =>
    withBody(AccountChange, bodyOf(request), reply, ({ locked }) => {
      account.setLocked(locked);
      return reply.send(account.state());
    }),
  );
  server.delete('/_lab/account', async () => {
    account.setLocked(false);
    return account.state();
  });
  server.delete('/_lab/tokens', async (_request, reply) => {
    account.revoke();
    return reply.code(204).send();
  });

  server.get('/_lab/stats', async () => ({
    ...account.counts,
    ...stats.totals(),
    mostPerSecond: stats.mostPerSecond(),
    jobs: store.jobs.size,
    trouble: options.trouble(),
  }));
  server.delete('/_lab/stats', async (_request, reply) => {
    stats.reset();
    Object.assign(account.counts, { logins: 0, refused: 0 });
    return reply.code(204).send();
  });

  server.get('/_lab/jobs', async () => [...store.jobs.values()]);
  server.get<JobRoute>('/_lab/jobs/:id', async (request, reply) => {
    const job = store.jobs.get(request.params.id);
    return job ?? reply.code(404).send({ error: `no job ${request.params.id}` });
  });
  server.put<JobRoute>('/_lab/jobs/:id/shown', async (request, reply) =>
    withBody(Shown.nullable(), bodyOf(request), reply, async (shown) => {
      const job = store.jobs.get(request.params.id);
      if (job === undefined) return reply.code(404).send({ error: `no job ${request.params.id}` });
      job.shown = shown;
      await store.save(job);
      return reply.code(204).send();
    }),
  );
}

/** Reads and checks the body; what is wrong with it is told with 400. */
export async function withBody<T>(
  schema: z.ZodType<T>,
  body: string,
  reply: FastifyReply,
  use: (value: T) => FastifyReply | Promise<FastifyReply>,
): Promise<FastifyReply> {
  try {
    return await use(schema.parse(JSON.parse(body)));
  } catch (error) {
    if (error instanceof z.ZodError) return reply.code(400).send({ error: z.prettifyError(error) });
    if (error instanceof SyntaxError)
      return reply.code(400).send({ error: `the body is not JSON: ${error.message}` });
    throw error;
  }
}
