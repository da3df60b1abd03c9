import type { FastifyInstance, FastifyReply } from 'fastify';

import { sessionCookie, sessionMs, type Login } from './login.ts';
import { renderPage } from './render-page.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered also to whoever has not logged in. */
    open?: boolean;
  }
}

interface Given {
  readonly token?: string;
  readonly next?: string;
}

/** A person mistypes; a program that guesses is stopped. */
const triesPerMinute = 20;

/**
 * Shows everything else in `scope` only to whoever has logged in: by the form, or once by an address with the token in
 * it, which is exchanged for a session at once. `secure`: people come by https.
 */
export function registerLogin(scope: FastifyInstance, login: Login, secure: boolean): void {
  const config = { open: true, rateLimit: { max: triesPerMinute, timeWindow: '1 minute' } };

  scope.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.open === true) return;
    if (login.isOpen(request.cookies[sessionCookie], Date.now())) return;
    await reply.redirect(`/login?next=${encodeURIComponent(request.url)}`, 303);
  });

  const answer = async (reply: FastifyReply, { token, next }: Given): Promise<FastifyReply> => {
    reply.header('cache-control', 'no-store');
    const wanted = localPath(next);
    if (token === undefined || !login.knows(token)) {
      const page = renderPage('login.njk', { next: wanted, refused: token !== undefined });
      return reply
        .code(token === undefined ? 200 : 401)
        .type('text/html; charset=utf-8')
        .send(page);
    }
    reply.setCookie(sessionCookie, login.openSession(Date.now()), {
      path: '/',
      httpOnly: true,
      // Links in messages lead here from other sites, and are to find the session.
      sameSite: 'lax',
      secure,
      maxAge: sessionMs / 1000,
    });
    return reply.redirect(wanted, 303);
  };

  scope.get('/login', { config }, async ({ query }, reply) => answer(reply, givenIn(query)));
  scope.post('/login', { config }, async ({ body }, reply) => answer(reply, { token: '', ...givenIn(body) }));
}

/** A field that was sent several times, or is no text, counts as not sent. */
function givenIn(fields: unknown): Given {
  if (typeof fields !== 'object' || fields === null) return {};
  const { token, next } = fields as Record<string, unknown>;
  return { ...(typeof token === 'string' && { token }), ...(typeof next === 'string' && { next }) };
}

/** Only a path of this server: a link must not lead somebody who logs in to another site. */
function localPath(next: string | undefined): string {
  const base = 'http://page.invalid';
  if (next === undefined || !URL.canParse(next, base)) return '/';
  const { origin, pathname, search } = new URL(next, base);
  return origin === base && !pathname.startsWith('//') ? `${pathname}${search}` : '/';
}
