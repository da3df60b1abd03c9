import type { FastifyInstance } from 'fastify';

import type { Lab } from './lab.ts';
import { notFound, Refusal } from './refusal.ts';
import { refusedWords } from './permissions.ts';
import type { RateLimit } from './rate-limit.ts';
import { apiToken, apiUser, prefixes, tellNeeds } from './router.ts';
import { ownUserShape } from './user-shape.ts';
import { whoAsks } from './transport.ts';

/** Who is who. */
export function addUserRoutes(server: FastifyInstance, lab: Lab, rate: RateLimit): void {
  for (const prefix of prefixes) {
    server.get(`${prefix}/user`, async (request, reply) => {
      const token = apiToken(lab, request);
      if (token === null) throw new Refusal(401, 'Requires authentication');
      // An App is nobody: only GraphQL tells who it acts as.
      if (token.kind === 'installation') throw new Refusal(403, refusedWords(token));
      tellNeeds(reply, token, []);
      return reply.send(ownUserShape(lab, lab.user(token.login)));
    });
    server.get(`${prefix}/users/:login`, async (request) => {
      apiUser(lab, request);
      const user = lab.user((request.params as { login: string }).login);
      if (user.id === 0) throw notFound();
      return ownUserShape(lab, user);
    });
    server.get(`${prefix}/rate_limit`, async (request) => {
      apiUser(lab, request);
      const { 'x-ratelimit-limit': limit, ...others } = rate.headers(whoAsks(lab, request));
      const core = {
        limit,
        remaining: others['x-ratelimit-remaining'],
        used: others['x-ratelimit-used'],
        reset: others['x-ratelimit-reset'],
      };
      return { resources: { core, graphql: core, search: core }, rate: core };
    });
  }
}
