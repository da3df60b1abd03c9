import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { addComment } from './comment-routes.ts';
import { setDraft } from './graphql-routes.ts';
import type { Lab } from './lab.ts';
import { squash } from './merge.ts';
import { setPullState } from './pull-state.ts';
import { Refusal } from './refusal.ts';
import { addReview } from './reviews.ts';
import { accessOf } from './router.ts';
import type { LabPull, LabRepository, LabUser } from './state.ts';

const cookieName = 'lab_user';
const cookieDays = 30;
/** Who looks at a page before anybody signed in. */
const firstViewer = 'pi';

type Fields = Readonly<Record<string, string>>;

/** Which of the lab's users sits before the page. */
export function viewerOf(lab: Lab, { headers }: FastifyRequest): LabUser {
  const given = new RegExp(`(?:^|;\\s*)${cookieName}=([^;]*)`).exec(headers.cookie ?? '')?.[1] ?? '';
  const user = lab.user(decodeURIComponent(given));
  return user.type === 'User' && user.id !== 0 ? user : lab.user(firstViewer);
}

export interface PullPlace {
  readonly repository: LabRepository;
  readonly pull: LabPull;
}

/** What a person can press on the page of a pull request. */
export function addPageForms(server: FastifyInstance, lab: Lab, find: (params: unknown) => PullPlace): void {
  server.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (request, body, done) => {
      const text = String(body);
      try {
        // What curl sends without being told what it is.
        done(
          null,
          request.url.startsWith('/_lab/') ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text)),
        );
      } catch (error) {
        done(Object.assign(new Error('Problems parsing JSON', { cause: error }), { statusCode: 400 }));
      }
    },
  );

  server.post('/session', async (request, reply) => {
    assertOwnPage(lab, request);
    const { login = '', back = '/' } = (request.body ?? {}) as Fields;
    const value = encodeURIComponent(lab.user(login).login);
    const age = cookieDays * 86_400;
    void reply.header(
      'set-cookie',
      `${cookieName}=${value}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Strict`,
    );
    return reply.redirect(/^\/(?!\/)/.test(back) ? back : '/', 303);
  });

  for (const [action, act] of Object.entries(actions)) {
    server.post(`/:owner/:repo/pull/:number/${action}`, async (request, reply) => {
      assertOwnPage(lab, request);
      const place = find(request.params);
      const user = viewerOf(lab, request);
      const fields = (request.body ?? {}) as Fields;
      const refused = await lab.exclusively(place.repository, () =>
        tried(() => act(lab, place, user, fields)),
      );
      return toPull(reply, place, refused);
    });
  }
}

type Act = (lab: Lab, place: PullPlace, user: LabUser, fields: Fields) => Promise<void>;

const actions: Readonly<Record<string, Act>> = {
  async comments(lab, { repository, pull }, user, { body = '' }) {
    assertMay(repository, user, 'read');
    if (body.trim() !== '') addComment(lab, repository, pull, body.trim(), user);
  },
  async review(lab, { repository, pull }, user, { verdict = '', body = '' }) {
    assertMay(repository, user, 'read');
    if (pull.author === user.login && verdict !== 'comment') {
      throw new Refusal(422, 'Can not review your own pull request');
    }
    const state = ({ approve: 'APPROVED', refuse: 'CHANGES_REQUESTED' } as const)[verdict] ?? 'COMMENTED';
    addReview(lab, repository, pull, {
      author: user.login,
      state,
      body: body.trim(),
      commitId: pull.headSha,
      comments: [],
    });
  },
  async merge(lab, { repository, pull }, user, { sha = '' }) {
    assertMay(repository, user, 'write');
    await squash(lab, repository, pull, { sha }, user);
  },
  async state(lab, { repository, pull }, user, { state = '' }) {
    assertMayChange(repository, pull, user);
    setPullState(lab, repository, pull, state === 'closed' ? 'closed' : 'open', user);
  },
  async draft(lab, { repository, pull }, user, { draft = '' }) {
    assertMayChange(repository, pull, user);
    setDraft(lab, repository, pull, draft === 'true', user);
  },
  async resolve(lab, { repository, pull }, user, { thread = '' }) {
    assertMayChange(repository, pull, user);
    const found = pull.threads.find(({ id }) => id === thread);
    if (found !== undefined) found.resolved = !found.resolved;
    lab.save();
  },
};

/** The words of a refusal; null when all went well. */
async function tried(act: () => Promise<void>): Promise<string | null> {
  try {
    await act();
    return null;
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

function toPull(reply: FastifyReply, { repository, pull }: PullPlace, refused: string | null): FastifyReply {
  const path = `/${repository.owner}/${repository.name}/pull/${pull.number}`;
  const said = refused === null ? '' : `?refused=${encodeURIComponent(refused)}`;
  return reply.redirect(`${path}${said}`, 303);
}

function assertMay(repository: LabRepository, user: LabUser, wanted: 'read' | 'write'): void {
  const access = accessOf(repository, user);
  if (access === null || (wanted === 'write' && access === 'read')) {
    throw new Refusal(403, `${user.login} may not do this in ${repository.owner}/${repository.name}`);
  }
}

function assertMayChange(repository: LabRepository, { author }: LabPull, user: LabUser): void {
  if (author !== user.login) assertMay(repository, user, 'write');
}

/** No page from elsewhere presses these buttons. */
function assertOwnPage(lab: Lab, { headers }: FastifyRequest): void {
  if (headers.origin !== undefined && headers.origin !== lab.url) {
    throw new Refusal(403, 'This form is for its own page');
  }
}
