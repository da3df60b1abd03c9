import { createHash, timingSafeEqual } from 'node:crypto';

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';

import type { Lab } from './lab.ts';
import { Refusal, notFound } from './refusal.ts';
import type { Access, LabPull, LabRepository, LabToken, LabUser } from './state.ts';

/** One request of a known user to a repository that it may see. */
export interface Call {
  readonly user: LabUser;
  readonly repository: LabRepository;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
type Handle = (call: Call) => Promise<unknown>;
export type Route = (method: Method, path: string, access: Access, handle: Handle) => void;

/** Where GitHub and GitHub Enterprise serve the same API. */
export const prefixes = ['', '/api/v3'] as const;

const order: readonly Access[] = ['read', 'write', 'admin'];

/** Registers routes below `/repos/{owner}/{repo}` for both prefixes, with who may use them. */
export function repositoryRouter(server: FastifyInstance, lab: Lab): Route {
  return (method, path, access, handle) => {
    for (const prefix of prefixes) {
      server.route({
        method,
        url: `${prefix}/repos/:owner/:repo${path}`,
        handler: async (request, reply) => {
          const params = request.params as Record<string, string>;
          const user = apiUser(lab, request);
          const repository = lab.find(params['owner'] ?? '', params['repo'] ?? '');
          const granted = repository === undefined ? null : accessOf(repository, user);
          if (repository === undefined || granted === null) throw notFound();
          if (user === null && method !== 'GET') throw new Refusal(401, 'Requires authentication');
          if (order.indexOf(granted) < order.indexOf(access)) {
            throw new Refusal(403, 'Resource not accessible by personal access token');
          }
          const query = request.query as Record<string, string>;
          const call = { user: user ?? lab.user('ghost'), repository, params, query, body: request.body };
          return handle({ ...call, request, reply });
        },
      });
    }
  };
}

/** null when nobody signed in; throws 401 for a wrong token and 403 for one that is for git alone. */
export function apiUser(lab: Lab, request: FastifyRequest): LabUser | null {
  const { authorization } = request.headers;
  if (authorization === undefined) return null;
  const token = findToken(lab, /^(?:token|bearer)\s+(.+)$/i.exec(authorization)?.[1] ?? '');
  if (token === undefined) throw new Refusal(401, 'Bad credentials');
  if (token.use === 'push') throw new Refusal(403, 'Resource not accessible by personal access token');
  return lab.user(token.login);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

export function findToken(lab: Lab, given: string): LabToken | undefined {
  return lab.state.tokens.find(({ token }) => timingSafeEqual(digest(token), digest(given)));
}

/** What a user may do in a repository; null for nothing, which GitHub tells as 404. */
export function accessOf(repository: LabRepository, user: LabUser | null): Access | null {
  const given = user === null ? undefined : repository.collaborators[user.login];
  return given ?? (repository.private ? null : 'read');
}

/** Reads a request's body, or throws GitHub's 422. */
export function readBody<T extends z.ZodType>(schema: T, body: unknown, resource: string): z.infer<T> {
  const result = schema.safeParse(body ?? {});
  if (result.success) return result.data;
  const errors = result.error.issues.map((issue) => ({
    resource,
    field: issue.path.join('.'),
    code: /received undefined/.test(issue.message) ? 'missing_field' : 'invalid',
  }));
  throw new Refusal(422, 'Validation Failed', errors);
}

export function pullOf({ repository, params }: Call): LabPull {
  const pull = repository.pulls.find(({ number }) => number === Number(params['number']));
  if (pull === undefined) throw notFound();
  return pull;
}

/** One page of a list, with GitHub's `Link` header to the others. */
export function page<T>({ query, request, reply }: Call, list: readonly T[], lab: Lab): T[] {
  const size = Math.min(Math.max(Number(query['per_page'] ?? 30) || 30, 1), 100);
  const number = Math.max(Number(query['page'] ?? 1) || 1, 1);
  const last = Math.max(1, Math.ceil(list.length / size));
  const to = (target: number, relation: string): string => {
    const url = new URL(request.url, lab.url);
    url.searchParams.set('page', String(target));
    return `<${url.href}>; rel="${relation}"`;
  };
  const links = [
    ...(number > 1 ? [to(number - 1, 'prev'), to(1, 'first')] : []),
    ...(number < last ? [to(number + 1, 'next'), to(last, 'last')] : []),
  ];
  if (links.length > 0) void reply.header('link', links.join(', '));
  return list.slice((number - 1) * size, number * size);
}
