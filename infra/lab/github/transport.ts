import { createHash } from 'node:crypto';

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import type { Fault, FaultQueue } from './faults.ts';
import type { Lab } from './lab.ts';
import { limited, meetFault, spoil } from './meet-fault.ts';
import type { RateLimit } from './rate-limit.ts';
import { Refusal } from './refusal.ts';
import { findToken } from './router.ts';
import type { StatsKeeper } from './stats.ts';

/** One answered request of the API, for whoever compares it with the official description. */
export interface Answered {
  readonly method: string;
  /** As fastify writes it, `/repos/:owner/:repo/pulls/:number`; GitHub Enterprise's prefix left out. */
  readonly route: string;
  readonly status: number;
  /** The text of the answer; '' for none. */
  readonly body: string;
}

export interface TransportDeps {
  readonly faults: FaultQueue;
  readonly rate: RateLimit;
  readonly stats: StatsKeeper;
  readonly observe: ((answered: Answered) => void) | undefined;
}

/** What every answer has in common: faults, limits, ETags, errors in GitHub's form, the state on disk. */
export function addTransport(server: FastifyInstance, lab: Lab, deps: TransportDeps): void {
  const pending = new WeakMap<FastifyRequest, Fault>();
  addFaults(server, lab, deps, pending);
  addAnswers(server, lab, deps, pending);
  addErrors(server);
}

function addFaults(
  server: FastifyInstance,
  lab: Lab,
  { faults, rate }: TransportDeps,
  pending: WeakMap<FastifyRequest, Fault>,
): void {
  server.addHook('onRequest', async (request, reply) => {
    const path = (request.url.split('?', 1)[0] ?? '')
      .replace(/^\/api\/v3/, '')
      .replace(/^\/api\/graphql/, '/graphql');
    if (path.startsWith('/_lab/')) return undefined;
    const fault = faults.take(`${request.method} ${path}`);
    if (fault !== undefined) {
      pending.set(request, fault);
      return meetFault(fault, request, reply);
    }
    if (!isApi(request) || path === '/rate_limit' || rate.take(whoAsks(lab, request))) return undefined;
    return reply.code(403).send(limited(`API rate limit exceeded for ${whoAsks(lab, request)}.`, ''));
  });
}

function addAnswers(
  server: FastifyInstance,
  lab: Lab,
  { rate, stats, observe }: TransportDeps,
  pending: WeakMap<FastifyRequest, Fault>,
): void {
  server.addHook('onSend', async (request, reply, payload) => {
    // On disk before anybody is told. What a look works out is worked out again.
    if (request.method !== 'GET' && request.method !== 'HEAD') lab.save();
    await lab.saved();
    const fault = pending.get(request);
    const api = isApi(request);
    const text = typeof payload === 'string' ? payload : '';
    const route = (request.routeOptions.url ?? request.url).replace(/^\/api\/v3/, '');
    if (api && fault === undefined) {
      observe?.({ method: request.method, route, status: reply.statusCode, body: text });
      const who = whoAsks(lab, request);
      if (isUnchanged(request, reply, payload)) {
        rate.giveBack(who);
        void reply.code(304).removeHeader('content-length');
      }
      void reply.headers({
        'x-github-media-type': 'github.v3; format=json',
        ...rate.headers(who),
        'x-ratelimit-resource': request.url.includes('graphql') ? 'graphql' : 'core',
      });
    }
    if (api)
      stats.note({
        route: `${request.method} ${route}`,
        status: reply.statusCode,
        faulty: fault !== undefined,
      });
    if (fault !== undefined) return spoil(fault, request, reply, payload);
    return reply.statusCode === 304 ? '' : payload;
  });
}

/** Gives a good answer its ETag, and tells whether the asker has it already. */
function isUnchanged(request: FastifyRequest, reply: FastifyReply, payload: unknown): boolean {
  if (request.method !== 'GET' || reply.statusCode !== 200 || typeof payload !== 'string') return false;
  const etag = `W/"${createHash('sha256').update(payload).digest('hex')}"`;
  void reply.header('etag', etag).header('cache-control', 'private, max-age=60, s-maxage=60');
  return request.headers['if-none-match'] === etag;
}

function addErrors(server: FastifyInstance): void {
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

/** As GitHub names it where it says that a limit was met. */
export function whoAsks(lab: Lab, { headers, ip }: FastifyRequest): string {
  const given = /^(?:token|bearer)\s+(.+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  const token = findToken(lab, given);
  return token === undefined ? ip : `user ID ${lab.user(token.login).id}`;
}

function isApi({ url }: FastifyRequest): boolean {
  return /^\/(api\/|repos\/|repositories\/|user\b|users\/|app\b|installation\/|rate_limit|graphql)/.test(url);
}
