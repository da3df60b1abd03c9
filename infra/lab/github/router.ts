import { createHash, timingSafeEqual } from 'node:crypto';

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';

import type { Lab } from './lab.ts';
import { holds, type Need, needHeader, needsOf, refusedWords } from './permissions.ts';
import { Refusal, notFound } from './refusal.ts';
import type { Access, LabPull, LabRepository, LabToken, LabUser } from './state.ts';

/** One request of a known user to a repository that it may see. */
export interface Call {
  readonly user: LabUser;
  /** null when nobody signed in. */
  readonly token: LabToken | null;
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
          const token = apiToken(lab, request);
          const user = token === null ? null : lab.user(token.login);
          const { owner = '', repo = '' } = params;
          const repository = lab.find(owner, repo);
          const granted = repository === undefined ? null : accessOf(repository, user);
          if (repository === undefined || granted === null) throw notFound();
          if (!isNamed(repository, owner, repo)) return moved(lab, repository, request, reply);
          if (token === null && method !== 'GET') throw new Refusal(401, 'Requires authentication');
          const needs = needsOf(
            method,
            request.url.slice(request.url.indexOf(repo) + repo.length).split('?', 1)[0] ?? '',
          );
          tellNeeds(reply, token, needs);
          const short = order.indexOf(granted) < order.indexOf(access);
          if (short || (token !== null && !holds(token, needs))) {
            throw new Refusal(403, refusedWords(token ?? { token: '', login: '', use: 'api' }));
          }
          if (repository.archived === true && method !== 'GET') {
            throw new Refusal(403, 'Repository was archived so is read-only.');
          }
          const query = request.query as Record<string, string>;
          const call = { user: user ?? lab.user('ghost'), token, repository, params, query };
          return handle({ ...call, body: request.body, request, reply });
        },
      });
    }
  };
}

/** A repository that was renamed says where it is now: 301, and 307 where the body has to be sent again. */
function moved(lab: Lab, { id }: LabRepository, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const below = request.url.replace(/^(?:\/api\/v3)?\/repos\/[^/?]+\/[^/?]+/, '');
  const prefix = request.url.startsWith('/api/v3') ? '/api/v3' : '';
  const url = `${lab.url}${prefix}/repositories/${id}${below}`;
  const message = 'Moved Permanently';
  return reply
    .code(request.method === 'GET' ? 301 : 307)
    .header('location', url)
    .send({
      message,
      url,
      documentation_url:
        'https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects',
    });
}

function isNamed({ owner, name }: LabRepository, wantedOwner: string, wanted: string): boolean {
  return `${owner}/${name}`.toLowerCase() === `${wantedOwner}/${wanted}`.toLowerCase();
}

/** What the token may do by its scopes, or what it would have needed; GitHub tells the one of classic tokens alone. */
export function tellNeeds(reply: FastifyReply, token: LabToken | null, needs: readonly Need[]): void {
  if (token === null) return;
  if (token.kind === undefined || token.kind === 'classic') {
    const scopes = (token.scopes ?? classicScopes).join(', ');
    void reply.header('x-oauth-scopes', scopes).header('x-accepted-oauth-scopes', 'repo');
  } else {
    void reply.header('x-accepted-github-permissions', needHeader(needs));
  }
}

/** What a classic token may do when nothing else was said. */
const classicScopes: readonly string[] = ['repo', 'workflow'];

/** null when nobody signed in; throws as `apiToken` does. */
export function apiUser(lab: Lab, request: FastifyRequest): LabUser | null {
  const token = apiToken(lab, request);
  return token === null ? null : lab.user(token.login);
}

/** null when nobody signed in; throws 401 for a wrong token and 403 for one that is for git alone. */
export function apiToken(lab: Lab, request: FastifyRequest): LabToken | null {
  const { authorization } = request.headers;
  if (authorization === undefined) return null;
  const token = findToken(lab, /^(?:token|bearer)\s+(.+)$/i.exec(authorization)?.[1] ?? '');
  if (token === undefined) throw new Refusal(401, 'Bad credentials');
  if (token.use === 'push') throw new Refusal(403, 'Resource not accessible by personal access token');
  return token;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

export function findToken(lab: Lab, given: string): LabToken | undefined {
  const found = lab.state.tokens.find(({ token }) => timingSafeEqual(digest(token), digest(given)));
  const over = found?.expiresAt !== undefined && Date.parse(found.expiresAt) <= Date.now();
  return over ? undefined : found;
}

/** What a user may do in a repository; null for nothing, which GitHub tells as 404. */
export function accessOf(repository: LabRepository, user: LabUser | null): Access | null {
  const given = user === null ? undefined : repository.collaborators[user.login];
  return given ?? user?.everywhere ?? (repository.private ? null : 'read');
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
