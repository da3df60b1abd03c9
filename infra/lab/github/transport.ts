import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import type { Fault, FaultQueue } from './faults.ts';
import type { Lab } from './lab.ts';
import { Refusal } from './refusal.ts';

const hourlyLimit = 5000;
const angry = '<!DOCTYPE html><title>Whoa there!</title><p>You have exceeded a rate limit.</p>';

/** What every answer has in common: faults, rate-limit headers, ETags, errors in GitHub's form, the state on disk. */
export function addTransport(server: FastifyInstance, lab: Lab, faults: FaultQueue): void {
  const pending = new WeakMap<FastifyRequest, Fault>();
  let used = 0;
  const reset = Math.floor(Date.now() / 1000) + 3600;

  server.addHook('onRequest', async (request, reply) => {
    const path = (request.url.split('?', 1)[0] ?? '')
      .replace(/^\/api\/v3/, '')
      .replace(/^\/api\/graphql/, '/graphql');
    if (path.startsWith('/_lab/')) return undefined;
    const fault = faults.take(`${request.method} ${path}`);
    return fault === undefined ? undefined : meet(fault, request, reply, pending);
  });

  server.addHook('onSend', async (request, reply, payload) => {
    // On disk before anybody is told.
    lab.save();
    const fault = pending.get(request);
    if (fault !== undefined) return spoil(fault, request, reply, payload);
    if (!isApi(request)) return payload;
    used += 1;
    void reply.headers({
      'x-github-media-type': 'github.v3; format=json',
      'x-ratelimit-limit': hourlyLimit,
      'x-ratelimit-remaining': Math.max(0, hourlyLimit - used),
      'x-ratelimit-used': used,
      'x-ratelimit-reset': reset,
      'x-ratelimit-resource': request.url.includes('graphql') ? 'graphql' : 'core',
    });
    if (request.method !== 'GET' || reply.statusCode !== 200 || typeof payload !== 'string') return payload;
    const etag = `W/"${createHash('sha256').update(payload).digest('hex')}"`;
    void reply.header('etag', etag).header('cache-control', 'private, max-age=60, s-maxage=60');
    if (request.headers['if-none-match'] !== etag) return payload;
    used -= 1;
    void reply.code(304).removeHeader('content-length');
    return '';
  });

  // GitHub takes no body where it expects JSON as well.
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? undefined : JSON.parse(String(body)));
    } catch (error) {
      done(Object.assign(new Error('Problems parsing JSON', { cause: error }), { statusCode: 400 }));
    }
  });

  server.setErrorHandler(async (error: Error & { statusCode?: number }, _request, reply) => {
    if (error instanceof Refusal) return reply.code(error.status).send(error.body);
    const bad = error.statusCode === 400 || error.statusCode === 415;
    const refusal = bad
      ? new Refusal(400, 'Problems parsing JSON')
      : new Refusal(500, `Lab error: ${error.message}`);
    return reply.code(refusal.status).send(refusal.body);
  });
  server.setNotFoundHandler(async (_request, reply) =>
    reply.code(404).send(new Refusal(404, 'Not Found').body),
  );
}

/** Faults that come before the work; the others are kept for the answer. */
async function meet(
  fault: Fault,
  request: FastifyRequest,
  reply: FastifyReply,
  pending: WeakMap<FastifyRequest, Fault>,
): Promise<FastifyReply | undefined> {
  switch (fault.kind) {
    case 'drop':
      reply.hijack();
      request.raw.socket.destroy();
      return reply;
    case 'delay':
      await wait(fault.delayMs);
      return undefined;
    case 'html-429':
      return reply.code(429).header('retry-after', '1').type('text/html').send(angry);
    case 'html-200':
      return reply.code(200).type('text/html').send('<!DOCTYPE html><title>Sign in</title>');
    case 'rate-limit':
      return reply
        .code(403)
        .header('retry-after', '1')
        .send(new Refusal(403, 'You have exceeded a secondary rate limit.').body);
    case 'status':
      return reply.code(fault.status).send(new Refusal(fault.status, 'Lab fault').body);
    case 'commit-then-500':
    case 'commit-then-drop':
    case 'cut':
      pending.set(request, fault);
      return undefined;
    case 'duplicate':
      return undefined;
  }
}

/** The work is done; the answer does not tell. */
function spoil(fault: Fault, request: FastifyRequest, reply: FastifyReply, payload: unknown): unknown {
  if (fault.kind === 'commit-then-drop') {
    request.raw.socket.destroy();
    return payload;
  }
  if (fault.kind === 'cut') {
    void reply.removeHeader('content-length').header('connection', 'close');
    return typeof payload === 'string' ? payload.slice(0, payload.length / 2) : payload;
  }
  void reply.code(500).removeHeader('content-length').type('application/json');
  return JSON.stringify(new Refusal(500, 'Server Error').body);
}

function isApi({ url }: FastifyRequest): boolean {
  return /^\/(api\/|repos\/|user\b|users\/|rate_limit|graphql)/.test(url);
}
