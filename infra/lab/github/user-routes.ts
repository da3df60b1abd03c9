import type { FastifyInstance } from 'fastify';

import type { Lab } from './lab.ts';
import { notFound, Refusal } from './refusal.ts';
import { apiUser, prefixes } from './router.ts';
import { userShape } from './shapes.ts';

/** Who is who. */
export function addUserRoutes(server: FastifyInstance, lab: Lab): void {
  for (const prefix of prefixes) {
    server.get(`${prefix}/user`, async (request, reply) => {
      const user = apiUser(lab, request);
      if (user === null) throw new Refusal(401, 'Requires authentication');
      return reply.header('x-oauth-scopes', 'repo').send(userShape(lab, user));
    });
    server.get(`${prefix}/users/:login`, async (request) => {
      apiUser(lab, request);
      const user = lab.user((request.params as { login: string }).login);
      if (user.id === 0) throw notFound();
      return userShape(lab, user);
    });
    server.get(`${prefix}/rate_limit`, async (request) => {
      apiUser(lab, request);
      const core = { limit: 5000, remaining: 5000, used: 0, reset: Math.floor(Date.now() / 1000) + 3600 };
      return { resources: { core, graphql: core }, rate: core };
    });
  }
}
