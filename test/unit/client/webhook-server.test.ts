import { sign } from '@octokit/webhooks-methods';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';

import { ClientError } from '../../../client/client-error.ts';
import type { Experiments } from '../../../client/experiments.ts';
import { createWebhookServer } from '../../../client/webhook/create-webhook-server.ts';
import { findTargets } from '../../../client/webhook/find-targets.ts';

const secret = 'canary-webhook-secret';

function serve(calls: Partial<Experiments> = {}) {
  const nudged: [string, string][] = [];
  const server = createWebhookServer({
    secret,
    log: pino({ level: 'silent' }),
    experiments: {
      nudge: async (id, delivery) => void nudged.push([id, delivery]),
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
  return { server, post, nudged };
}

async function away(): Promise<never> {
  throw new ClientError('unreachable', 'away');
}

const repository = { full_name: 'lab/digits' };

function pullRequest(ref: unknown = 'hephaestus/warmup', fork = 'lab/digits') {
  return { repository, pull_request: { head: { ref, repo: { full_name: fork } } } };
}

describe('the webhook server', () => {
  it('nudges the experiment of the branch, with the delivery id', async () => {
    const { post, nudged } = serve();
    const response = await post(pullRequest());
    expect(response.statusCode).toBe(202);
    expect(response.json()).toEqual({ nudged: ['warmup'] });
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
    expect((await serve().post({}, {}, 'star')).json()).toEqual({ nudged: [] });
    const ended = serve({
      nudge: async () => {
        throw new ClientError('not-found', 'ended');
      },
    });
    const response = await ended.post(pullRequest());
    expect([response.statusCode, response.json()]).toEqual([202, { nudged: [] }]);
  });

  it('answers 503 while Temporal is away, so that GitHub shows the delivery as failed', async () => {
    const { post, server } = serve({ nudge: away, ping: away });
    expect((await post(pullRequest())).statusCode).toBe(503);
    expect((await server.inject('/readyz')).statusCode).toBe(503);
    expect((await server.inject('/healthz')).statusCode).toBe(200);
  });

  it('refuses what is larger than GitHub ever sends', async () => {
    const { post } = serve();
    const response = await post('x'.repeat(25 * 1024 * 1024 + 1), { 'x-hub-signature-256': 'sha256=0' });
    expect(response.statusCode).toBe(413);
  });

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
    await post({ repository, issue: { number: 7, pull_request: {} } }, {}, 'issue_comment');
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
    expect(findTargets(event, payload)).toEqual({ experimentIds: ids, pullRequest: null });
  });

  it('of a comment is the pull request, and nothing for a plain issue', () => {
    const comment = { repository, issue: { number: 7, pull_request: {} } };
    expect(findTargets('issue_comment', comment).pullRequest).toBe('lab/digits#7');
    expect(findTargets('issue_comment', { repository, issue: { number: 7 } }).pullRequest).toBeNull();
    const own = { ...comment, comment: { body: '<!-- hephaestus:warmup -->\nEvidence' } };
    expect(findTargets('issue_comment', own).pullRequest).toBeNull();
    expect(findTargets('issue_comment', { issue: { number: '7', pull_request: {} } }).pullRequest).toBeNull();
  });
});
