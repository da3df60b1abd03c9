import type { FastifyInstance } from 'fastify';

import { Fault, type FaultQueue } from './faults.ts';

/** What GitHub does not have: faults on request. */
export function addLabRoutes(server: FastifyInstance, faults: FaultQueue): void {
  server.get('/_lab/faults', async () => faults.list());
  server.post('/_lab/faults', async (request, reply) => {
    const fault = Fault.safeParse(request.body);
    if (!fault.success) return reply.code(422).send({ problems: fault.error.issues });
    return reply.code(201).send(faults.add(fault.data));
  });
  server.delete('/_lab/faults', async (_request, reply) => {
    faults.clear();
    return reply.code(204).send();
  });
}
