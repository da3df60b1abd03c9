import { verify } from '@octokit/webhooks-methods';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';

import { ClientError } from '../client-error.ts';
import type { Experiments } from '../experiments.ts';
import { findTargets, knownEvents } from './find-targets.ts';
import { createDeliveryCounter } from './metrics.ts';

export interface WebhookServerOptions {
  readonly experiments: Pick<Experiments, 'nudge' | 'findByPullRequest' | 'ping'>;
  readonly secret: string;
  readonly log: Logger;
  /** More figures for Prometheus, in its text format. */
  readonly figures?: () => Promise<string>;
}

/** GitHub sends no more than this, bytes. */
const bodyLimit = 25 * 1024 * 1024;

/**
 * The webhook server, not yet listening. A delivery only says *look again*: nothing in it is believed, and it is answered
 * with 202 once Temporal holds the nudge, so that GitHub's delivery log tells the truth.
 */
export function createWebhookServer({
  experiments,
  secret,
  log,
  figures = async () => '',
}: WebhookServerOptions): FastifyInstance {
  const server = fastify({ bodyLimit, logger: false });
  const deliveries = createDeliveryCounter();

  // The signature is over the bytes as they came, so nothing may parse them first.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  server.post('/webhooks/github', async (request, reply) => {
    const event = headerOf(request, 'x-github-event');
    const label = knownEvents.has(event) ? event : 'other';
    const body = Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '';
    if (!(await isSigned(secret, body, headerOf(request, 'x-hub-signature-256')))) {
      deliveries.count('unknown', 'unauthorized');
      return answer(reply, 401, 'the signature does not fit: is the secret the same on both sides?');
    }
    const parsed = readDelivery(event, headerOf(request, 'x-github-delivery'), body);
    if (parsed.status === 'malformed') {
      deliveries.count(label, 'malformed');
      return answer(reply, 400, parsed.why);
    }
    try {
      const nudged = await deliver(experiments, event, parsed.delivery, parsed.payload);
      deliveries.count(label, nudged.length > 0 ? 'nudged' : 'ignored');
      return await reply.code(202).send({ nudged });
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      log.warn(
        { event, delivery: parsed.delivery, reason: error.message },
        'a delivery could not be passed on',
      );
      deliveries.count(label, 'unavailable');
      return answer(reply, 503, 'Temporal cannot be reached: redeliver it later');
    }
  });

  server.get('/healthz', async (_request, reply) => reply.send({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    try {
      await experiments.ping();
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

type Delivery =
  | { readonly status: 'read'; readonly delivery: string; readonly payload: unknown }
  | { readonly status: 'malformed'; readonly why: string };

function readDelivery(event: string, delivery: string, body: string): Delivery {
  if (event === '') return { status: 'malformed', why: 'the header X-GitHub-Event is missing' };
  if (!/^[\w-]{1,100}$/.test(delivery)) {
    return { status: 'malformed', why: 'the header X-GitHub-Delivery is missing or no delivery id' };
  }
  try {
    return { status: 'read', delivery, payload: JSON.parse(body) as unknown };
  } catch {
    const why = 'the body is no JSON: set the content type of the webhook to application/json';
    return { status: 'malformed', why };
  }
}

/** Returns the ids of the experiments that were told. One that has ended has nothing to look at. */
async function deliver(
  experiments: WebhookServerOptions['experiments'],
  event: string,
  delivery: string,
  payload: unknown,
): Promise<string[]> {
  const { experimentIds, pullRequest } = findTargets(event, payload);
  const ids = pullRequest === null ? experimentIds : await experiments.findByPullRequest(pullRequest);
  const told = await Promise.all(
    ids.map(async (id) => {
      try {
        await experiments.nudge(id, delivery);
        return [id];
      } catch (error) {
        if (error instanceof ClientError && error.kind === 'not-found') return [];
        throw error;
      }
    }),
  );
  return told.flat();
}

async function isSigned(secret: string, body: string, signature: string): Promise<boolean> {
  // The library refuses empty arguments by throwing; neither can carry a signature.
  return body !== '' && signature !== '' && (await verify(secret, body, signature));
}

function headerOf(request: FastifyRequest, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}

function answer(reply: FastifyReply, code: number, message: string): FastifyReply {
  return reply.code(code).send({ message });
}
