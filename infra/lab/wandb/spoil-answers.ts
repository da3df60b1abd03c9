import { setTimeout } from 'node:timers/promises';

import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyReply {
    /** Set by a fault: the answer is sent this much later than it is known. */
    lateByMs: number;
    /** Set by a fault: only the first half of the answer's text is sent. */
    cutInHalf: boolean;
  }
}

/** Does to answers what faults asked for while the request was carried out. */
export function spoilAnswers(server: FastifyInstance): void {
  server.decorateReply('lateByMs', 0);
  server.decorateReply('cutInHalf', false);
  server.addHook('onSend', async (_request, reply, payload) => {
    if (reply.lateByMs > 0) await setTimeout(reply.lateByMs);
    if (!reply.cutInHalf || typeof payload !== 'string') return payload;
    const half = payload.slice(0, Math.floor(payload.length / 2));
    reply.header('content-length', Buffer.byteLength(half));
    return half;
  });
}
