import rateLimit from '@fastify/rate-limit';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';

import { ClientError } from '../client-error.ts';
import type { Experiments } from '../experiments.ts';
import { bodyLength, createBodyBudget } from './body-budget.ts';
import { knownEvents } from './find-targets.ts';
import { createDeliveryCounter, type DeliveryCounter } from './metrics.ts';
import { passOn, type PassOnDeps } from './pass-on.ts';
import { isSigned, looksSigned } from './signature.ts';

export interface WebhookServerOptions extends PassOnDeps {
  readonly experiments: PassOnDeps['experiments'] & Pick<Experiments, 'ping'>;
  readonly secret: string;
  readonly log: Logger;
  /** The most that one address may send in a minute. */
  readonly perMinute?: { readonly unsigned: number; readonly signed: number };
  /** More figures for Prometheus, in its text format. */
  readonly figures?: () => Promise<string>;
}

/** GitHub sends no more than this, bytes. */
const bodyLimit = 25 * 1024 * 1024;
const allBodies = 4 * bodyLimit;
const requestTimeoutMs = 30_000;
/** A wrong secret is noticed after one; the bursts of a large repository stay far below the other. */
const usualPerMinute = { unsigned: 60, signed: 6000 };

/**
 * The webhook server, not yet listening. A delivery only says *look again*: nothing in it is believed, and it is answered
 * with 202 once Temporal holds what follows, so that GitHub's delivery log tells the truth. It holds the secret of the
 * webhooks and no credential of GitHub: who may do what is looked up by the zone that has one.
 */
export function createWebhookServer(options: WebhookServerOptions): FastifyInstance {
  const server = fastify({ bodyLimit, requestTimeout: requestTimeoutMs, logger: false });
  const { figures = async () => '' } = options;
  const deliveries = createDeliveryCounter();
  const budget = createBodyBudget(allBodies, bodyLimit);

  // The signature is over the bytes as they came, so nothing may parse them first.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  server.addHook('onResponse', async (request) => budget.release(request));
  server.addHook('onRequestAbort', async (request) => budget.release(request));

  void server.register(rateLimit, { global: false });
  void server.after(() => {
    const perMinute = options.perMinute ?? usualPerMinute;
    const limits = {
      unsigned: server.createRateLimit({ max: perMinute.unsigned, timeWindow: '1 minute' }),
      signed: server.createRateLimit({ max: perMinute.signed, timeWindow: '1 minute' }),
    };
    addDeliveries(server, options, { deliveries, limits, budget });
  });

  server.get('/healthz', async (_request, reply) => reply.send({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    try {
      await options.experiments.ping();
      return await reply.send({ status: 'ready' });
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      return answer(reply, 503, 'Temporal cannot be reached');
    }
  });
  server.get('/metrics', async (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(deliveries.render() + (await figures())),
  );
  return server;
}

type Limit = ReturnType<FastifyInstance['createRateLimit']>;

interface Guards {
  readonly deliveries: DeliveryCounter;
  /** Each kind has its own: a flood without the secret keeps no delivery of GitHub away, whatever address both come from. */
  readonly limits: { readonly unsigned: Limit; readonly signed: Limit };
  readonly budget: ReturnType<typeof createBodyBudget>;
}

function addDeliveries(server: FastifyInstance, options: WebhookServerOptions, guards: Guards): void {
  const { deliveries, limits, budget } = guards;
  const refuseUnsigned = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    deliveries.count('unknown', 'unauthorized');
    if (await isOver(limits.unsigned, request, reply))
      return answer(reply, 429, 'too many without a signature');
    return answer(reply, 401, 'the signature does not fit: is the secret the same on both sides?');
  };

  server.post('/webhooks/github', {
    // Before the body is read. What still comes of it is thrown away unread, so that the sender can hear the answer.
    async onRequest(request, reply) {
      const tooLarge = (bodyLength(request) ?? 0) > bodyLimit;
      if (tooLarge) {
        deliveries.count('unknown', 'too-large');
        return answer(reply, 413, `GitHub sends at most ${bodyLimit} bytes`);
      }
      if (!looksSigned(headerOf(request, 'x-hub-signature-256'))) {
        return refuseUnsigned(request, reply);
      }
      if (budget.take(request)) return undefined;
      deliveries.count('unknown', 'busy');
      return answer(reply, 503, 'too much is being received: redeliver it later');
    },

    async handler(request, reply) {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      if (!isSigned(options.secret, body, headerOf(request, 'x-hub-signature-256'))) {
        return refuseUnsigned(request, reply);
      }
      const event = headerOf(request, 'x-github-event');
      const label = knownEvents.has(event) ? event : 'other';
      if (await isOver(limits.signed, request, reply)) {
        deliveries.count(label, 'limited');
        return answer(reply, 429, 'too many deliveries in a minute');
      }
      const parsed = readDelivery(event, headerOf(request, 'x-github-delivery'), body);
      if (parsed.status === 'malformed') {
        deliveries.count(label, 'malformed');
        return answer(reply, 400, parsed.why);
      }
      try {
        const passed = await passOn(options, { event, ...parsed });
        const counted = passed.nudged.length > 0 ? 'nudged' : 'ignored';
        deliveries.count(label, passed.invited ? 'invited' : counted);
        return await reply.code(202).send(passed);
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        const { delivery } = parsed;
        options.log.warn(
          { event: label, delivery, reason: error.message },
          'a delivery could not be passed on',
        );
        deliveries.count(label, 'unavailable');
        return answer(reply, 503, 'Temporal cannot be reached: redeliver it later');
      }
    },
  });
}

async function isOver(limit: Limit, request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
  const state = await limit(request);
  if (state.isAllowed || !state.isExceeded) return false;
  void reply.header('retry-after', String(state.ttlInSeconds));
  return true;
}

type Delivery =
  | { readonly status: 'read'; readonly delivery: string; readonly payload: unknown }
  | { readonly status: 'malformed'; readonly why: string };

function readDelivery(event: string, delivery: string, body: Buffer): Delivery {
  if (event === '') return { status: 'malformed', why: 'the header X-GitHub-Event is missing' };
  if (!/^[\w-]{1,100}$/.test(delivery)) {
    return { status: 'malformed', why: 'the header X-GitHub-Delivery is missing or no delivery id' };
  }
  try {
    return { status: 'read', delivery, payload: JSON.parse(body.toString('utf8')) as unknown };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const why = 'the body is no JSON: set the content type of the webhook to application/json';
    return { status: 'malformed', why };
  }
}

function headerOf(request: FastifyRequest, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}

function answer(reply: FastifyReply, code: number, message: string): FastifyReply {
  return reply.code(code).send({ message });
}
