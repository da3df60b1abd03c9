import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

import type { Account } from './accounts.ts';
import { Fault, type Faults } from './faults.ts';
import type { JobStore } from './job-store.ts';
import type { Newcomers } from './newcomers.ts';
import { bodyOf } from './platform-routes.ts';
import type { Scheduler } from './scheduler.ts';
import { ScriptOrder } from './script.ts';
import type { LiveSettings } from './settings.ts';
import type { Stats } from './stats.ts';

const AccountChange = z.strictObject({ locked: z.boolean() });

export interface LabRoutesOptions {
  readonly store: JobStore;
  readonly scheduler: Scheduler;
  readonly account: Account;
  readonly settings: LiveSettings;
  readonly faults: Faults;
  readonly newcomers: Newcomers;
  readonly stats: Stats;
  /** What the last turn of the scheduler failed with, '' when it did not. */
  readonly trouble: () => string;
}

/** How the stand-in as a whole is told to misbehave: `GET` shows, `PUT` and `POST` set, `DELETE` resets. */
export function addLabRoutes(server: FastifyInstance, options: LabRoutesOptions): void {
  const { scheduler, account, settings, faults, newcomers } = options;

  server.get('/_lab/faults', async () => faults.list());
  server.post('/_lab/faults', async (request, reply) =>
    withBody(Fault, request, reply, async (fault) => {
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
    withBody(z.unknown(), request, reply, async (change) => {
      settings.change(change);
      scheduler.reconsider();
      return reply.send(settings.current);
    }),
  );
  server.delete('/_lab/settings', async () => {
    settings.reset();
    scheduler.reconsider();
    return settings.current;
  });

  server.get('/_lab/account', async () => account.state());
  server.put('/_lab/account', async (request, reply) =>
    withBody(AccountChange, request, reply, async ({ locked }) => {
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

  server.get('/_lab/scripts', async () => newcomers.orders());
  server.post('/_lab/scripts', async (request, reply) =>
    withBody(ScriptOrder, request, reply, async (order) => {
      newcomers.order(order);
      return reply.code(201).send(order);
    }),
  );
  server.delete('/_lab/scripts', async (_request, reply) => {
    newcomers.clear();
    return reply.code(204).send();
  });

  addStatsRoutes(server, options);
}

function addStatsRoutes(server: FastifyInstance, { store, account, stats, trouble }: LabRoutesOptions): void {
  server.get('/_lab/stats', async () => {
    const begun = [...store.jobs.values()].filter((job) => job.dry === null && job.starts > 0);
    return {
      ...account.counts,
      ...stats.totals(),
      mostPerSecond: stats.mostPerSecond(),
      jobs: store.jobs.size,
      /** How often the command of each job was really begun. */
      trainings: Object.fromEntries(begun.map(({ id, starts }) => [id, starts])),
      trouble: trouble(),
    };
  });
  server.delete('/_lab/stats', async (_request, reply) => {
    stats.reset();
    Object.assign(account.counts, { logins: 0, refused: 0 });
    return reply.code(204).send();
  });
}

/** Reads and checks the body; what is wrong with it is told with 400. */
export async function withBody<T>(
  schema: z.ZodType<T>,
  request: FastifyRequest,
  reply: FastifyReply,
  use: (value: T) => Promise<FastifyReply>,
): Promise<FastifyReply> {
  try {
    return await use(schema.parse(JSON.parse(bodyOf(request))));
  } catch (error) {
    if (error instanceof z.ZodError) return reply.code(400).send({ error: z.prettifyError(error) });
    if (error instanceof SyntaxError) {
      return reply.code(400).send({ error: `the body is not JSON: ${error.message}` });
    }
    throw error;
  }
}
