import { readFile } from 'node:fs/promises';

import { fastifyCookie } from '@fastify/cookie';
import fastifyEtag from '@fastify/etag';
import fastifyFormbody from '@fastify/formbody';
import fastifyHelmet from '@fastify/helmet';
import fastifyRateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Logger } from 'pino';

import type { PageSettings, TemporalSettings } from '../../infra/config/config.ts';
import { isLoopback } from '../../infra/config/sight.ts';
import { ClientError } from '../client-error.ts';
import type { Experiments } from '../experiments.ts';
import { createCurvesDrawer } from './create-curves-drawer.ts';
import { createLogin } from './login.ts';
import { presentExperimentPage } from './present-experiment-page.ts';
import { presentLab } from './present-lab.ts';
import { registerLogin } from './register-login.ts';
import { renderPage } from './render-page.ts';

export interface PageOptions {
  readonly experiments: Pick<Experiments, 'lab' | 'see' | 'troubles' | 'curves'>;
  readonly settings: Pick<PageSettings, 'token' | 'url'>;
  readonly temporal: Pick<TemporalSettings, 'uiUrl' | 'namespace'>;
  readonly log: Logger;
}

/** Several people who look at one time cost the workers no more than one. */
const sightAgeMs = 4000;

const assets = {
  'page.css': 'text/css; charset=utf-8',
  'refresh.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const;

const contentSecurity = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    styleSrc: ["'self'"],
    scriptSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
    baseUri: ["'none'"],
  },
};

/** A picture is no page: nothing in it may run or load, but its own styles count. */
const pictureSecurity = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/**
 * Adds the page for people to a server: `/` lists the experiments, `/experiments/<id>` tells of one. It only shows;
 * nothing on it changes anything. Without a token it answers only to a browser that asks this machine by a name of its
 * own, so that no other site can lead a browser here.
 *
 * @example
 * await registerPage(server, { experiments, settings: section(config, 'page'), temporal: config.temporal, log });
 */
export async function registerPage(server: FastifyInstance, options: PageOptions): Promise<void> {
  await server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    await scope.register(fastifyFormbody);
    await scope.register(fastifyCookie);
    await scope.register(fastifyEtag);
    await scope.register(fastifyRateLimit, { global: false });
    await scope.register(fastifyHelmet, {
      contentSecurityPolicy: contentSecurity,
      referrerPolicy: { policy: 'no-referrer' },
      // Whether all of a host is to be reached by https alone is for whoever runs the host to say.
      strictTransportSecurity: false,
    });
    scope.addHook('onSend', async (_request, reply) => {
      if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'private, no-cache');
    });
    answerErrors(scope, options.log);
    await addAssets(scope);
    const { token, url } = options.settings;
    if (token === null) refuseOthers(scope);
    else registerLogin(scope, createLogin(token), url?.startsWith('https://') === true);
    addPages(scope, options);
  });
}

/** A name that another site made point here (DNS rebinding) is not ours. */
function refuseOthers(scope: FastifyInstance): void {
  scope.addHook('onRequest', async (request, reply) => {
    if (isLoopback(request.hostname)) return;
    await answerMessage(reply, 403, {
      title: 'Only from this machine',
      message: `You asked for "${request.hostname}". Without HEPHAESTUS_PAGE_TOKEN the page answers only to http://127.0.0.1 and http://localhost.`,
    });
  });
}

function addPages(scope: FastifyInstance, { experiments, temporal }: PageOptions): void {
  const draw = createCurvesDrawer();
  const workflowsUrl = `${temporal.uiUrl}/namespaces/${encodeURIComponent(temporal.namespace)}/workflows`;

  scope.get('/', async (_request, reply) => {
    const view = presentLab(await experiments.lab(sightAgeMs), Date.now());
    return html(reply, renderPage('lab.njk', { view, workflowsUrl }));
  });

  scope.get<{ Params: { id: string } }>('/experiments/:id', async ({ params: { id } }, reply) => {
    const seen = await experiments.see(known(id));
    const troubles = seen.execution === 'running' ? await experiments.troubles(id) : [];
    const view = presentExperimentPage(seen, troubles, Date.now());
    return html(reply, renderPage('experiment.njk', { view }));
  });

  scope.get<{ Params: { id: string; theme: string }; Querystring: { small?: string } }>(
    '/experiments/:id/curves-:theme.svg',
    async ({ params: { id, theme }, query }, reply) => {
      const curves = await experiments.curves(known(id));
      if (curves === null) throw new ClientError('not-found', `There are no curves of "${id}" yet.`);
      const small = query.small !== undefined;
      const picture = await draw(curves, { theme: theme === 'dark' ? 'dark' : 'light', small });
      reply.header('content-security-policy', pictureSecurity);
      return reply.type('image/svg+xml').send(picture);
    },
  );
}

/** The id as it is, where it can be one. */
function known(id: string): string {
  if (/^[a-z0-9-]{3,50}$/.test(id)) return id;
  throw new ClientError('not-found', 'There is no such experiment.');
}

async function addAssets(scope: FastifyInstance): Promise<void> {
  for (const [name, type] of Object.entries(assets)) {
    const content = await readFile(new URL(`assets/${name}`, import.meta.url), 'utf8');
    scope.get(`/assets/${name}`, { config: { open: true } }, async (_request, reply) =>
      reply.type(type).send(content),
    );
  }
}

function answerErrors(scope: FastifyInstance, log: Logger): void {
  scope.setNotFoundHandler(async (_request, reply) =>
    answerMessage(reply, 404, { title: 'Not found', message: 'There is no such page.' }),
  );
  scope.setErrorHandler<Error & { readonly statusCode?: number }>(async (error, request, reply) => {
    if (error instanceof ClientError) {
      const missing = error.kind === 'not-found';
      const title = missing ? 'Not found' : 'Temporal cannot be reached';
      return answerMessage(reply, missing ? 404 : 503, { title, message: error.message });
    }
    const code = error.statusCode ?? 500;
    if (code < 500) {
      const title = code === 429 ? 'Too many tries' : 'That cannot be answered';
      return answerMessage(reply, code, { title, message: 'Wait a minute, then try again.' });
    }
    log.error({ err: error, path: request.routeOptions.url }, 'a page could not be made');
    const message = 'The log of the server has the reason.';
    return answerMessage(reply, 500, { title: 'Something is wrong here', message });
  });
}

async function answerMessage(
  reply: FastifyReply,
  code: number,
  words: { readonly title: string; readonly message: string },
): Promise<FastifyReply> {
  return html(reply.code(code), renderPage('message.njk', words));
}

function html(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(text);
}
