import { request } from 'node:http';
import { Readable } from 'node:stream';

import { sign } from '@octokit/webhooks-methods';
import * as fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';

import { ClientError } from '../../../client/client-error.ts';
import type { Experiments } from '../../../client/experiments.ts';
import { listenOn } from '../../../client/listen-on.ts';
import {
  createWebhookServer,
  type WebhookServerOptions,
} from '../../../client/webhook/create-webhook-server.ts';
import type { InvitationInput } from '../../../domain/invitation.ts';
import { quickPolicy } from '../../support/temporal-environment.ts';
import { findTargets } from '../../../client/webhook/find-targets.ts';

const secret = 'canary-webhook-secret';

function serve(calls: Partial<Experiments> = {}, perMinute?: WebhookServerOptions['perMinute']) {
  const nudged: [string, string | undefined][] = [];
  const invited: InvitationInput[] = [];
  const server = createWebhookServer({
    secret,
    policy: quickPolicy,
    ...(perMinute !== undefined && { perMinute }),
    log: pino({ level: 'silent' }),
    experiments: {
      nudge: async (id, { delivery }) => void nudged.push([id, delivery]),
      invite: async (input) => void invited.push(input),
      findByPullRequest: async () => [],
      ping: async () => undefined,
      ...calls,
    },
  });
  const post = async (payload: unknown, more: Record<string, string> = {}, event = 'pull_request') => {
    const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
    return server.inject({
      method: 'POST',
      url: '/webhooks/github',
      payload: body,
      headers: {
        'content-type': 'application/json',
        'x-github-event': event,
        'x-github-delivery': 'd-1',
        'x-hub-signature-256': await sign(secret, body || 'x'),
        ...more,
      },
    });
  };
  return { server, post, nudged, invited };
}

async function away(): Promise<never> {
  throw new ClientError('unreachable', 'away');
}

const repository = { full_name: 'lab/digits' };

function comment(body: unknown, more: object = {}) {
  const by = { user: { login: 'pi', type: 'User' }, author_association: 'COLLABORATOR' };
  const issue = { number: 7, pull_request: {} };
  return { action: 'created', repository, issue, comment: { body, ...by, ...more } };
}

function pullRequest(ref: unknown = 'hephaestus/warmup', fork = 'lab/digits') {
  return { repository, pull_request: { head: { ref, repo: { full_name: fork } } } };
}

describe('the webhook server', () => {
  it('nudges the experiment of the branch, with the delivery id', async () => {
    const { post, nudged } = serve();
    const response = await post(pullRequest());
    expect(response.statusCode).toBe(202);
    expect(response.json()).toEqual({ nudged: ['warmup'], invited: false });
    expect(nudged).toEqual([['warmup', 'd-1']]);
  });

  it.each<[string, Record<string, string>]>([
    ['no signature', { 'x-hub-signature-256': '' }],
    ['a word', { 'x-hub-signature-256': 'sha256=zz' }],
    ['the signature of another secret', { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` }],
    ['the old algorithm', { 'x-hub-signature-256': '', 'x-hub-signature': `sha1=${'0'.repeat(40)}` }],
  ])('answers 401 to %s and does nothing', async (_what, headers) => {
    const { post, nudged } = serve();
    const response = await post(pullRequest(), headers);
    expect(response.statusCode).toBe(401);
    expect(response.body).not.toContain('canary');
    expect(nudged).toEqual([]);
  });

  it('signs the bytes as they came, not what they mean', async () => {
    const { post } = serve();
    const body = JSON.stringify(pullRequest());
    const signature = await sign(secret, body);
    expect((await post(` ${body}`, { 'x-hub-signature-256': signature })).statusCode).toBe(401);
  });

  it.each<[string, string, Record<string, string>, number]>([
    ['a body that is no JSON', '{"a":', {}, 400],
    ['a form', 'payload=%7B%7D', { 'content-type': 'application/x-www-form-urlencoded' }, 400],
    ['no event', '{}', { 'x-github-event': '' }, 400],
    ['no delivery id', '{}', { 'x-github-delivery': '' }, 400],
    ['a delivery id of another shape', '{}', { 'x-github-delivery': 'a b' }, 400],
    ['nothing at all', '', {}, 401],
    ['null', 'null', {}, 202],
    ['a list', '[1]', {}, 202],
  ])('answers %s', async (_what, body, headers, status) => {
    const { post, nudged } = serve();
    expect((await post(body, headers)).statusCode).toBe(status);
    expect(nudged).toEqual([]);
  });

  it('answers 202 to an event that it does not know, and to an experiment that has ended', async () => {
    expect((await serve().post({}, {}, 'star')).json()).toEqual({ nudged: [], invited: false });
    const ended = serve({
      nudge: async () => {
        throw new ClientError('not-found', 'ended');
      },
    });
    const response = await ended.post(pullRequest());
    expect([response.statusCode, response.json()]).toEqual([202, { nudged: [], invited: false }]);
  });

  it('answers 503 while Temporal is away, so that GitHub shows the delivery as failed', async () => {
    const { post, server } = serve({ nudge: away, ping: away });
    expect((await post(pullRequest())).statusCode).toBe(503);
    expect((await server.inject('/readyz')).statusCode).toBe(503);
    expect((await server.inject('/healthz')).statusCode).toBe(200);
  });

  it('asks for a look at a pull request of a person, unless its experiment is there', async () => {
    const opened = { ...pullRequest('my-idea'), action: 'opened' };
    const payload = { ...opened, pull_request: { ...opened.pull_request, number: 9 } };
    const fresh = serve();
    expect((await fresh.post(payload)).json()).toEqual({ nudged: [], invited: true });
    expect(fresh.invited).toEqual([{ repository: 'lab/digits', number: 9, by: null, policy: quickPolicy }]);
    const known = serve({ findByPullRequest: async () => ['warmup'] });
    expect((await known.post(payload)).json()).toEqual({ nudged: ['warmup'], invited: false });
    expect(known.invited).toEqual([]);
    expect((await serve({ invite: away }).post(payload)).statusCode).toBe(503);
  });

  it('limits what comes without a signature, and nothing that has one', async () => {
    const { post, nudged } = serve({}, { unsigned: 3, signed: 100 });
    const wrong = { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` };
    const statuses: number[] = [];
    for (let sent = 0; sent < 5; sent += 1) statuses.push((await post(pullRequest(), wrong)).statusCode);
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    const none = await post(pullRequest(), { 'x-hub-signature-256': '' });
    expect([none.statusCode, Number(none.headers['retry-after']) > 0]).toEqual([429, true]);
    expect((await post(pullRequest())).statusCode).toBe(202);
    expect(nudged).toHaveLength(1);
  });

  it('limits one sender with the secret as well, far above what GitHub sends', async () => {
    const { post } = serve({}, { unsigned: 3, signed: 2 });
    const statuses: number[] = [];
    for (let sent = 0; sent < 3; sent += 1) statuses.push((await post(pullRequest())).statusCode);
    expect(statuses).toEqual([202, 202, 429]);
  });

  it('refuses what is larger than GitHub ever sends', async () => {
    const { post } = serve();
    const response = await post('x'.repeat(25 * 1024 * 1024 + 1), { 'x-hub-signature-256': 'sha256=0' });
    expect(response.statusCode).toBe(413);
  });

  it('refuses 30 MB over a real connection, with and without a length, goes on, and ends while they are still sending', async () => {
    const { server, nudged } = serve();
    const url = await listenOn(server, { host: '127.0.0.1', port: 0, key: 'HEPHAESTUS_WEBHOOK_PORT' });
    const signed = { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` };
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const send = (headers: Record<string, string>) =>
      new Promise<number | string>((resolve) => {
        const sent = request(`${url}/webhooks/github`, { method: 'POST', headers }, (answer) => {
          answer.resume();
          resolve(answer.statusCode ?? 0);
        });
        sent.on('error', (error) => resolve(error.message));
        Readable.from(Array.from({ length: 30 }, () => chunk)).pipe(sent);
      });
    try {
      expect(await send({ ...signed, 'content-length': String(30 * chunk.length) })).toBe(413);
      // Without a length the server can only hang up once it is too much: then the answer may be lost on the way.
      expect([413, 'write EPIPE', 'read ECONNRESET', 'write ECONNRESET']).toContain(await send(signed));
      expect(await send({})).toBe(401);
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      expect(nudged).toEqual([]);
    } finally {
      await server.close();
    }
  }, 30_000);

  it('counts deliveries by what became of them, with labels from a closed list', async () => {
    const { post, server } = serve();
    await post(pullRequest());
    await post({}, {}, 'made"up\\event');
    await post({}, { 'x-hub-signature-256': 'sha256=0' });
    const { body } = await server.inject('/metrics');
    expect(body).toContain('hephaestus_webhook_deliveries_total{event="pull_request",result="nudged"} 1');
    expect(body).toContain('{event="other",result="ignored"} 1');
    expect(body).toContain('{event="unknown",result="unauthorized"} 1');
    expect(body).not.toContain('made');
  });

  it('finds the experiment of a comment by its pull request', async () => {
    const asked: string[] = [];
    const { post, nudged } = serve({
      findByPullRequest: async (reference) => {
        asked.push(reference);
        return ['warmup'];
      },
    });
    await post(comment('/hephaestus merge'), {}, 'issue_comment');
    expect(asked).toEqual(['lab/digits#7']);
    expect(nudged).toEqual([['warmup', 'd-1']]);
  });
});

describe('findTargets', () => {
  const branch = 'hephaestus/warmup';

  it.each<[event: string, payload: unknown, ids: readonly string[]]>([
    ['pull_request', pullRequest(), ['warmup']],
    ['pull_request_review', pullRequest(), ['warmup']],
    ['pull_request_review_thread', pullRequest(), ['warmup']],
    ['pull_request', pullRequest(branch, 'stranger/digits'), []],
    ['pull_request', { ...pullRequest(), repository: undefined }, []],
    ['pull_request', pullRequest('main'), []],
    ['pull_request', pullRequest('hephaestus/../x'), []],
    ['pull_request', pullRequest('hephaestus/'), []],
    ['pull_request', pullRequest(7), []],
    ['status', { branches: [{ name: branch }, { name: 'main' }, null] }, ['warmup']],
    ['status', { branches: 'main' }, []],
    ['status', { context: 'hephaestus/quality', branches: [{ name: branch }] }, []],
    ['status', { context: 'ci/other', branches: [{ name: branch }] }, ['warmup']],
    ['check_run', { check_run: { check_suite: { head_branch: branch }, pull_requests: [] } }, ['warmup']],
    [
      'check_run',
      { check_run: { check_suite: { head_branch: null }, pull_requests: [{ head: { ref: branch } }] } },
      ['warmup'],
    ],
    [
      'check_suite',
      { check_suite: { head_branch: branch, pull_requests: [{ head: { ref: branch } }] } },
      ['warmup'],
    ],
    ['workflow_run', { workflow_run: { head_branch: branch } }, ['warmup']],
    ['push', { ref: `refs/heads/${branch}` }, ['warmup']],
    ['push', { ref: `refs/tags/${branch}` }, []],
    ['toString', pullRequest(), []],
    ['pull_request', null, []],
    ['pull_request', 'text', []],
  ])('of %s', (event, payload, ids) => {
    expect(findTargets(event, payload)).toEqual({
      experimentIds: ids,
      pullRequests: [],
      about: 'review',
      invitation: null,
    });
  });

  it('of a comment with a word is the pull request', () => {
    const found = findTargets('issue_comment', comment('Good.\n/hephaestus merge'));
    expect(found).toMatchObject({ pullRequests: ['lab/digits#7'], about: 'conversation' });
  });

  it.each<[string, unknown]>([
    ['talk', comment('well done')],
    ['no text', comment(null)],
    ['an edit', { ...comment('/hephaestus merge'), action: 'edited' }],
    ['a plain issue', { ...comment('/hephaestus merge'), issue: { number: 7 } }],
    [
      'a number that is a word',
      { ...comment('/hephaestus merge'), issue: { number: '7', pull_request: {} } },
    ],
    ['a repository that is none', { ...comment('/hephaestus merge'), repository: { full_name: "a' OR '1" } }],
    ['a bot', comment('/hephaestus merge', { user: { type: 'Bot' } })],
    ['a stranger', comment('/hephaestus merge', { author_association: 'NONE' })],
    ['its own', comment('<!-- hephaestus:warmup -->\n/hephaestus merge')],
  ])('is nobody for a comment of %s', (_what, payload) => {
    expect(findTargets('issue_comment', payload)).toMatchObject({ experimentIds: [], pullRequests: [] });
  });

  it.each<[string, object, boolean]>([
    ['opened', {}, true],
    ['reopened', {}, true],
    ['synchronize', {}, true],
    ['ready_for_review', {}, true],
    ['opened', { draft: true }, false],
    ['closed', {}, false],
    ['labeled', {}, false],
    ['opened', { number: 'x' }, false],
    ['opened', { number: -1 }, false],
  ])("of a person's pull request that was %s (%j) may be an invitation: %s", (action, more, invites) => {
    const payload = pullRequest('my-idea');
    const whole = { ...payload, action, pull_request: { number: 9, ...payload.pull_request, ...more } };
    const invitation = invites ? { repository: 'lab/digits', number: 9 } : null;
    expect(findTargets('pull_request', whole).invitation).toEqual(invitation);
    const fork = pullRequest('my-idea', 'stranger/digits');
    const forked = { ...fork, action, pull_request: { number: 9, ...fork.pull_request } };
    expect(findTargets('pull_request', forked)).toMatchObject({ invitation: null, pullRequests: [] });
  });

  it('says that a closed pull request concerns the conversation too', () => {
    expect(findTargets('pull_request', { ...pullRequest(), action: 'closed' }).about).toBe('both');
  });

  it('takes any JSON, and finds no repository that could leave a query', () => {
    const events = ['issue_comment', 'pull_request', 'check_run', 'status', 'push', 'star'];
    fc.assert(
      fc.property(fc.constantFrom(...events), payloads, (event, payload) => {
        const { experimentIds, pullRequests, invitation } = findTargets(event, payload);
        for (const id of experimentIds) expect(id).toMatch(/^[a-z0-9-]{3,50}$/);
        for (const reference of pullRequests) expect(reference).toMatch(/^[\w.-]+\/[\w.-]+#\d+$/);
        if (invitation !== null) expect(invitation.number).toBeGreaterThan(0);
      }),
      { numRuns: 2000 },
    );
  });
});

const names = fc.constantFrom(
  'hephaestus/warmup',
  'main',
  'lab/digits',
  '__proto__',
  "x' OR 'y",
  'opened',
  '',
);
const leaf = fc.oneof(names, fc.string(), fc.integer(), fc.constant(null), fc.boolean());
const keys = fc.constantFrom(
  'action',
  'repository',
  'full_name',
  'issue',
  'number',
  'pull_request',
  'comment',
  'body',
  'head',
  'ref',
  'repo',
  'check_run',
  'check_suite',
  'pull_requests',
  'branches',
  'name',
  'head_branch',
  'constructor',
);
const { payloads } = fc.letrec((tie) => ({
  payloads: fc.oneof(
    { maxDepth: 5 },
    leaf,
    fc.array(tie('payloads'), { maxLength: 3 }),
    fc.dictionary(keys, tie('payloads'), { maxKeys: 6 }),
  ),
}));
