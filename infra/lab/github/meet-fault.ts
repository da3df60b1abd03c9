import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';

import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Fault } from './faults.ts';
import { Refusal } from './refusal.ts';

const angry = '<!DOCTYPE html><title>Whoa there!</title><p>You have exceeded a rate limit.</p>';
const unicorn =
  '<!DOCTYPE html><title>Unicorn! &middot; GitHub</title><p>We had issues producing the response.</p>';
const slowPieces = 10;

const limitDocs = 'https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api';

/** Faults that come before the work: the answer, or undefined when the work goes on, for `spoil` to see. */
export async function meetFault(
  fault: Fault,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  const { retryAfterSeconds } = fault;
  switch (fault.kind) {
    case 'drop':
      reply.hijack();
      request.raw.socket.destroy();
      return reply;
    case 'delay':
      await wait(fault.delayMs);
      return undefined;
    case 'html-429':
      return reply
        .code(429)
        .header('retry-after', String(retryAfterSeconds ?? 1))
        .type('text/html')
        .send(angry);
    case 'html-200':
      return reply.code(200).type('text/html').send('<!DOCTYPE html><title>Sign in</title>');
    case 'bad-gateway':
    case 'gateway-timeout':
      return reply
        .code(fault.kind === 'bad-gateway' ? 502 : 504)
        .type('text/html')
        .send(unicorn);
    case 'rate-limit':
      return reply
        .code(403)
        .header('retry-after', String(retryAfterSeconds ?? 1))
        .send(limited('You have exceeded a secondary rate limit.', '#about-secondary-rate-limits'));
    case 'primary-limit':
      return reply
        .code(403)
        .headers({
          'x-ratelimit-remaining': 0,
          'x-ratelimit-reset': Math.ceil(Date.now() / 1000) + (retryAfterSeconds ?? 1),
        })
        .send(limited('API rate limit exceeded for user ID 1001.', ''));
    case 'status':
      if (retryAfterSeconds !== undefined) void reply.header('retry-after', String(retryAfterSeconds));
      return reply.code(fault.status).send(new Refusal(fault.status, 'Lab fault').body);
    case 'commit-then-500':
    case 'commit-then-drop':
    case 'cut':
    case 'slow':
    case 'duplicate':
      return undefined;
  }
}

/** What GitHub says when a limit was met. */
export function limited(message: string, anchor: string): object {
  return { message, documentation_url: `${limitDocs}${anchor}` };
}

/** The work is done; the answer does not tell, or takes its time. */
export function spoil(fault: Fault, request: FastifyRequest, reply: FastifyReply, payload: unknown): unknown {
  const text = typeof payload === 'string' ? payload : undefined;
  if (fault.kind === 'commit-then-drop') {
    request.raw.socket.destroy();
    return payload;
  }
  if (fault.kind === 'cut') {
    void reply.removeHeader('content-length').header('connection', 'close');
    return text === undefined ? payload : text.slice(0, text.length / 2);
  }
  if (fault.kind === 'slow') {
    void reply.removeHeader('content-length');
    return text === undefined ? payload : Readable.from(bitByBit(text, fault.delayMs));
  }
  if (fault.kind !== 'commit-then-500') return payload;
  void reply.code(500).removeHeader('content-length').type('application/json');
  return JSON.stringify(new Refusal(500, 'Server Error').body);
}

async function* bitByBit(text: string, overMs: number): AsyncGenerator<string> {
  const size = Math.ceil(text.length / slowPieces);
  for (let at = 0; at < text.length; at += size) {
    yield text.slice(at, at + size);
    await wait(overMs / slowPieces);
  }
}
