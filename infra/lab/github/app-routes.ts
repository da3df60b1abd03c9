import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, verify } from 'node:crypto';

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';

import type { Lab } from './lab.ts';
import { notFound, Refusal } from './refusal.ts';
import { apiToken, prefixes, readBody } from './router.ts';
import { repositoryShape } from './repository-shape.ts';
import { appShape } from './shapes.ts';
import { nodeId, userShape } from './user-shape.ts';
import type { LabApp } from './state.ts';

const tokenLifetimeMs = 3_600_000;
/** GitHub takes no sign-in that says it is good for longer; seconds. */
const longestSignIn = 600;
const clockSkew = 60;

const permissions = z.record(z.string(), z.enum(['read', 'write']));
const Narrowed = z.object({ permissions: permissions.optional() });

/** A new App with what Hephaestus needs. */
export function newApp(id: number, installationId: number): LabApp {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return {
    id,
    installationId,
    slug: 'hephaestus-lab',
    privateKey,
    permissions: {
      metadata: 'read',
      contents: 'write',
      pull_requests: 'write',
      issues: 'write',
      checks: 'write',
      statuses: 'write',
      workflows: 'write',
    },
  };
}

export function appLogin({ slug }: LabApp): string {
  return `${slug}[bot]`;
}

/** How a GitHub App signs in: a JWT that it signed, for a token of an hour. */
export function addAppRoutes(server: FastifyInstance, lab: Lab): void {
  for (const prefix of prefixes) {
    server.get(`${prefix}/app`, async (request) => appShape(lab, signedIn(lab, request).slug));
    server.get(`${prefix}/app/installations`, async (request) => [
      installationShape(lab, signedIn(lab, request)),
    ]);
    server.get(`${prefix}/app/installations/:id`, async (request) =>
      installationShape(lab, installed(lab, request)),
    );
    server.get(`${prefix}/repos/:owner/:repo/installation`, async (request) => {
      const app = signedIn(lab, request);
      const { owner = '', repo = '' } = request.params as Record<string, string>;
      if (lab.find(owner, repo) === undefined) throw notFound();
      return installationShape(lab, app);
    });
    server.post(`${prefix}/app/installations/:id/access_tokens`, async (request, reply) => {
      const app = installed(lab, request);
      const { permissions: narrowed } = readBody(Narrowed, request.body, 'Installation');
      const given = narrowed ?? app.permissions;
      const token = `ghs_${randomBytes(18).toString('hex')}`;
      const expiresAt = new Date(Date.now() + tokenLifetimeMs).toISOString().replace(/\.\d+Z$/, 'Z');
      const live = lab.state.tokens.filter(
        (one) => one.expiresAt === undefined || Date.parse(one.expiresAt) > Date.now(),
      );
      lab.state.tokens = live;
      live.push({
        token,
        login: appLogin(app),
        use: 'api',
        kind: 'installation',
        permissions: given,
        expiresAt,
      });
      return reply
        .code(201)
        .send({ token, expires_at: expiresAt, permissions: given, repository_selection: 'all' });
    });
    server.get(`${prefix}/installation/repositories`, async (request) => {
      if (apiToken(lab, request)?.kind !== 'installation') {
        throw new Refusal(
          403,
          'You must authenticate with an installation access token in order to list repositories.',
        );
      }
      const all = lab.state.repositories.map((one) => repositoryShape(lab, one));
      return { total_count: all.length, repository_selection: 'all', repositories: all };
    });
  }
}

function installed(lab: Lab, request: FastifyRequest): LabApp {
  const app = signedIn(lab, request);
  if (Number((request.params as { id: string }).id) !== app.installationId) throw notFound();
  return app;
}

const Claims = z.object({ iss: z.union([z.string(), z.number()]), iat: z.number(), exp: z.number() });

/** The App whose JWT this is; 401 as GitHub says it. */
function signedIn(lab: Lab, request: FastifyRequest): LabApp {
  const { app } = lab.state;
  const jwt = /^bearer\s+([\w-]+)\.([\w-]+)\.([\w-]+)$/i.exec(request.headers.authorization ?? '');
  if (app === undefined || jwt === null) throw new Refusal(401, 'A JSON web token could not be decoded');
  const [, head = '', claims = '', signature = ''] = jwt;
  const key = createPublicKey(createPrivateKey(app.privateKey));
  const good = verify('sha256', Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, 'base64url'));
  if (!good) throw new Refusal(401, 'A JSON web token could not be decoded');
  const { iss, iat, exp } = Claims.parse(JSON.parse(Buffer.from(claims, 'base64url').toString()));
  const now = Date.now() / 1000;
  if (String(iss) !== String(app.id)) throw new Refusal(404, 'Integration not found');
  if (exp <= now)
    throw new Refusal(
      401,
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    );
  if (exp - now > longestSignIn + clockSkew)
    throw new Refusal(401, "'Expiration time' claim ('exp') is too far in the future");
  if (iat > now + clockSkew)
    throw new Refusal(
      401,
      "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    );
  return app;
}

function installationShape(lab: Lab, app: LabApp): object {
  const url = `${lab.url}/app/installations/${app.installationId}`;
  return {
    id: app.installationId,
    node_id: nodeId('IN', app.installationId),
    account: userShape(lab, lab.user('pi')),
    access_tokens_url: `${url}/access_tokens`,
    repositories_url: `${lab.url}/installation/repositories`,
    html_url: `${lab.url}/settings/installations/${app.installationId}`,
    app_id: app.id,
    app_slug: app.slug,
    target_id: lab.user('pi').id,
    target_type: 'User',
    repository_selection: 'all',
    permissions: app.permissions,
    events: ['pull_request', 'issue_comment'],
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
    single_file_name: null,
    suspended_at: null,
    suspended_by: null,
  };
}
