import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { text, v2Envelope, type Answer } from './answers.ts';
import type { Fault, Faults, Question } from './faults.ts';
import type { Call, FrontDoor } from './front-door.ts';
import type { LiveSettings } from './settings.ts';
import type { Stats } from './stats.ts';

const openapiPaths = {
  token: '/auth/token',
  create: '/openapi/v1/train_job/create',
  detail: '/openapi/v1/train_job/detail',
  stop: '/openapi/v1/train_job/stop',
} as const satisfies Partial<Record<Question, string>>;

/** What `/api/v2/train` can be asked. */
const v2Actions: Readonly<Record<string, Exclude<Question, 'token'>>> = {
  CreateJob: 'create',
  GetJob: 'detail',
  StopJob: 'stop',
  ListJobs: 'list',
  DeleteJob: 'delete',
  ListJobEvents: 'events',
  ListJobInstances: 'instances',
};

export interface PlatformRoutesOptions {
  readonly frontDoor: FrontDoor;
  readonly faults: Faults;
  readonly settings: LiveSettings;
  readonly stats: Stats;
  /** Ends the waiting of answers that are late on purpose. */
  readonly closing: AbortSignal;
}

/** The platform's own addresses. */
export function addPlatformRoutes(server: FastifyInstance, options: PlatformRoutesOptions): void {
  const { faults, settings, stats, frontDoor, closing } = options;

  async function serve(call: Call, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    stats.count(call.on);
    const fault = faults.take(call.on);
    if (fault?.kind !== 'slow-body' && fault?.kind !== 'commit-then-timeout') await late(fault, closing);
    const outcome = await frontDoor(call, fault);
    if (fault?.kind === 'commit-then-timeout') await late(fault, closing);
    if (outcome === 'drop') return drop(request, reply);
    const { skewMs } = settings.current.clock;
    void reply.header('x-request-id', randomUUID());
    if (skewMs !== 0) void reply.header('date', new Date(Date.now() + skewMs).toUTCString());
    if (fault?.kind !== 'slow-body') return send(reply, outcome, outcome.body);
    return send(reply, outcome, trickle(outcome.body, fault.delayMs, closing));
  }

  for (const [on, path] of Object.entries(openapiPaths) as [Question, string][]) {
    server.post(path, async (request, reply) => {
      const call = { on, surface: 'openapi', action: '', raw: bodyOf(request), headers: request.headers };
      return serve(call as Call, request, reply);
    });
  }

  server.post<{ Querystring: { Action?: string } }>('/api/v2/train', async (request, reply) => {
    const { v2 } = settings.current;
    if (!v2.enabled) return send(reply, notFound, notFound.body);
    const action = request.query.Action ?? '';
    const on = Object.hasOwn(v2Actions, action) ? v2Actions[action] : undefined;
    if (on === undefined || (on === 'list' && !v2.list)) {
      const answer = v2Envelope(action).refusal({
        kind: 'unknown-action',
        message: `unknown action: ${action}`,
      });
      return send(reply, answer, answer.body);
    }
    return serve(
      { on, surface: 'v2', action, raw: bodyOf(request), headers: request.headers },
      request,
      reply,
    );
  });

  server.setNotFoundHandler(async (_request, reply) => send(reply, notFound, notFound.body));
}

const notFound = text(404, '404 page not found');

async function late(fault: Fault | undefined, closing: AbortSignal): Promise<void> {
  if (fault !== undefined && fault.delayMs > 0) await sleep(fault.delayMs, undefined, { signal: closing });
}

function send(reply: FastifyReply, answer: Answer, body: string | ReadableStream): FastifyReply {
  return reply
    .code(answer.status)
    .headers(answer.headers ?? {})
    .type(answer.type)
    .send(body);
}

const trickles = 20;

/** The text in equal parts over the given time. */
function trickle(body: string, overMs: number, signal: AbortSignal): ReadableStream {
  const bytes = new TextEncoder().encode(body);
  const size = Math.max(1, Math.ceil(bytes.length / trickles));
  let sent = 0;
  return new ReadableStream({
    async pull(controller) {
      if (sent >= bytes.length) return controller.close();
      await sleep(overMs / trickles, undefined, { signal });
      controller.enqueue(bytes.subarray(sent, sent + size));
      sent += size;
    },
  });
}

/** Bodies are kept as they came: the platform's parser tells the place of a fault in them. */
export function bodyOf(request: FastifyRequest): string {
  return typeof request.body === 'string' ? request.body : '';
}

function drop(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.hijack();
  request.raw.socket.destroy();
  return reply;
}
