import { randomBytes } from 'node:crypto';

import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';

import { Fault, type FaultQueue } from './faults.ts';
import type { Lab } from './lab.ts';
import { type RateLimit, RateSettings } from './rate-limit.ts';
import { notFound, Refusal } from './refusal.ts';
import type { LabToken } from './state.ts';
import type { StatsKeeper } from './stats.ts';
import { type Webhooks, WebhookSettings } from './webhooks.ts';

const permissions = z.record(z.string(), z.enum(['read', 'write']));
const tokenFields = {
  kind: z.enum(['classic', 'fine-grained']).optional(),
  scopes: z.array(z.string()).optional(),
  permissions: permissions.optional(),
  expiresAt: z.iso.datetime().optional(),
};
const NewToken = z.strictObject({ login: z.string(), ...tokenFields });
const TokenUpdate = z.strictObject(tokenFields);

export interface LabRoutesDeps {
  readonly faults: FaultQueue;
  readonly rate: RateLimit;
  readonly stats: StatsKeeper;
  readonly webhooks: Webhooks;
}

/** What GitHub does not have: faults, limits, webhooks that get lost, and credentials of every kind on request. */
export function addLabRoutes(server: FastifyInstance, lab: Lab, deps: LabRoutesDeps): void {
  addFaultRoutes(server, deps);
  addKnobRoutes(server, deps);
  addTokenRoutes(server, lab);
}

function addFaultRoutes(server: FastifyInstance, { faults, stats }: LabRoutesDeps): void {
  server.get('/_lab/faults', async () => faults.list());
  server.post('/_lab/faults', async (request, reply) =>
    reply.code(201).send(faults.add(readLab(Fault, request.body))),
  );
  server.delete('/_lab/faults', async (_request, reply) => {
    faults.clear();
    return empty(reply);
  });
  server.get('/_lab/stats', async () => stats.stats);
  server.delete('/_lab/stats', async (_request, reply) => {
    stats.clear();
    return empty(reply);
  });
}

function addKnobRoutes(server: FastifyInstance, { rate, webhooks }: LabRoutesDeps): void {
  server.get('/_lab/rate', async () => rate.settings);
  // oxlint-disable-next-line oxc/no-async-endpoint-handlers -- the rule is about Express; fastify awaits its handlers
  server.put('/_lab/rate', async (request) => {
    rate.settings = readLab(RateSettings, { ...rate.settings, ...Object(request.body) });
    return rate.settings;
  });
  server.delete('/_lab/rate', async () => (rate.settings = RateSettings.parse({})));

  server.get('/_lab/webhooks', async () => ({ ...webhooks.settings, counts: webhooks.counts }));
  // oxlint-disable-next-line oxc/no-async-endpoint-handlers -- the rule is about Express; fastify awaits its handlers
  server.put('/_lab/webhooks', async (request) => {
    webhooks.set(readLab(WebhookSettings, { ...webhooks.settings, ...Object(request.body) }));
    return webhooks.settings;
  });
  server.delete('/_lab/webhooks', async () => {
    webhooks.set(WebhookSettings.parse({}));
    return webhooks.settings;
  });
}

function addTokenRoutes(server: FastifyInstance, lab: Lab): void {
  const tokenOf = (params: unknown): LabToken => {
    const given = (params as { token: string }).token;
    const token = lab.state.tokens.find((one) => one.token === given);
    if (token === undefined) throw notFound();
    return token;
  };
  server.get('/_lab/tokens', async () => lab.state.tokens);
  server.post('/_lab/tokens', async (request, reply) => {
    const { login, kind = 'classic', ...given } = readLab(NewToken, request.body);
    if (lab.user(login).id === 0) throw notFound();
    const begin = kind === 'classic' ? 'ghp' : 'github_pat';
    const token = { token: `${begin}_${randomBytes(18).toString('hex')}`, login, use: 'api' as const, kind };
    const made: LabToken = { ...token, ...defined(given) };
    lab.state.tokens.push(made);
    return reply.code(201).send(made);
  });
  server.put('/_lab/tokens/:token', async ({ params, body }) =>
    Object.assign(tokenOf(params), defined(readLab(TokenUpdate, body))),
  );
  server.delete('/_lab/tokens/:token', async ({ params }, reply) => {
    const revoked = tokenOf(params);
    lab.state.tokens = lab.state.tokens.filter((one) => one !== revoked);
    return empty(reply);
  });
  server.get('/_lab/app', async () => lab.state.app);
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

function defined<T extends object>(value: T): Partial<Defined<T>> {
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(entries) as Partial<Defined<T>>;
}

/** 422 with what does not fit. */
export function readLab<T extends z.ZodType>(schema: T, body: unknown): z.infer<T> {
  const result = schema.safeParse(body ?? {});
  if (result.success) return result.data;
  throw new Refusal(422, `The lab cannot take this: ${z.prettifyError(result.error)}`);
}

export function empty(reply: FastifyReply): FastifyReply {
  return reply.code(204).send();
}
