import { setTimeout } from 'node:timers/promises';

import type { FastifyReply } from 'fastify';

import type { Asked, Fault, Faults } from './faults.ts';

/** Lets a request through, or makes of it what the fault says that it meets. */
export async function withFault(
  faults: Faults,
  { reply, ...asked }: Asked & { readonly reply: FastifyReply },
  handle: () => Promise<FastifyReply>,
): Promise<FastifyReply> {
  const fault = faults.take(asked);
  switch (fault?.kind) {
    case undefined:
      return handle();
    case 'drop':
      // Whatever is sent from here on is lost, since the connection is gone.
      reply.raw.destroy();
      return fault.afterwards ? handle() : reply.hijack();
    case 'delay':
      if (fault.afterwards) reply.lateByMs = fault.delayMs;
      else await setTimeout(fault.delayMs);
      return handle();
    case 'half':
      reply.cutInHalf = true;
      return handle();
    case 'graphql-error': {
      const { message, code } = fault;
      const extensions = code !== undefined && { extensions: { code } };
      return reply.send({ data: null, errors: [{ message, ...extensions }] });
    }
    case 'status':
      return refuse(reply, fault);
  }
}

function refuse(reply: FastifyReply, fault: Extract<Fault, { kind: 'status' }>): FastifyReply {
  const { retryAfterSeconds, rateLimitResetSeconds, body } = fault;
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
  if (rateLimitResetSeconds !== undefined) {
    reply.header('ratelimit-remaining', '0').header('ratelimit-reset', String(rateLimitResetSeconds));
  }
  const type = body.startsWith('<') ? 'text/html' : 'application/json';
  return reply.code(fault.status).type(type).send(body);
}
