import { fastify } from 'fastify';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';

import { ClientError } from '../../../../client/client-error.ts';
import type { Experiments } from '../../../../client/experiments.ts';
import { registerPage } from '../../../../client/page/register-page.ts';
import type { LabExperiment, LabSight } from '../../../../infra/temporal/lab-reader.ts';
import { exampleSeen, exampleStatus, fakeExperiments } from '../example-experiment.ts';

const token = 'canary-token-of-the-page';

function listed(more: Partial<LabExperiment> = {}): LabExperiment {
  return {
    id: 'warmup',
    workflowId: 'experiment/warmup',
    runId: 'run',
    execution: 'RUNNING',
    phase: 'training',
    outcome: null,
    repository: 'lab/digits',
    pullRequest: 'lab/digits#7',
    gpuHours: 0.5,
    startedAt: '2026-01-01T00:00:00.000Z',
    endedAt: null,
    status: exampleStatus(),
    ...more,
  };
}

function sightOf(...experiments: LabExperiment[]): LabSight {
  return {
    readAt: '2026-01-01T12:00:00.000Z',
    experiments,
    unanswered: experiments.filter(({ status }) => status === null).length,
    open: { syncs: 0, oldestSyncAt: null, deliveries: 0, failedDeliveries: 0 },
  };
}

async function serve(
  calls: Partial<Experiments> = {},
  settings: { readonly token: string | null; readonly url: string | null } = { token: null, url: null },
) {
  const server = fastify();
  await registerPage(server, {
    experiments: fakeExperiments({ lab: async () => sightOf(listed()), ...calls }),
    settings,
    temporal: { uiUrl: 'http://temporal.test', namespace: 'default' },
    log: pino({ level: 'silent' }),
  });
  return (url: string, headers: Record<string, string> = {}, form?: Record<string, string>) =>
    server.inject({
      method: form === undefined ? 'GET' : 'POST',
      url,
      headers: {
        host: '127.0.0.1:8788',
        ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...headers,
      },
      ...(form !== undefined && { payload: new URLSearchParams(form).toString() }),
    });
}

describe('the page without a token', () => {
  it.each(['127.0.0.1:8788', 'localhost:8788', '[::1]:8788'])('answers to %s', async (host) => {
    const get = await serve();
    expect((await get('/', { host })).statusCode).toBe(200);
  });

  it.each(['evil.example', 'hephaestus.example:8788', '127.0.0.1.evil.example'])(
    'does not answer to %s, which another site may have led here',
    async (host) => {
      const get = await serve();
      const response = await get('/', { host });
      expect(response.statusCode).toBe(403);
      expect(response.body).not.toContain('Warm-up');
    },
  );

  it('lets nothing run or load but its own', async () => {
    const get = await serve();
    const { headers } = await get('/');
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('no-referrer');
  });

  it('shows words from outside as words, and links only to the web', async () => {
    const evil = '<img src=x onerror=alert(1)>';
    const status = exampleStatus({
      title: evil,
      waitingFor: evil,
      pullRequest: { number: 7, url: 'javascript:alert(1)' },
      links: [{ label: evil, url: 'data:text/html,x' }],
    });
    const get = await serve({
      lab: async () => sightOf(listed({ status })),
      see: async () => exampleSeen({ status }),
    });
    for (const path of ['/', '/experiments/warmup']) {
      const { body } = await get(path);
      expect(body).toContain('&lt;img src=x');
      expect(body).not.toMatch(/<img src=x|javascript:|data:text/);
    }
  });

  it.each(['..%2F..%2Fetc', 'UPPER', 'a', "x'%20OR%20true"])('has no experiment %s', async (id) => {
    const get = await serve();
    expect((await get(`/experiments/${id}`)).statusCode).toBe(404);
  });

  it('says that Temporal is away, and that nobody answers', async () => {
    const away = await serve({
      lab: async () => {
        throw new ClientError('unreachable', 'Temporal at 127.0.0.1:1 cannot be reached');
      },
    });
    expect((await away('/')).statusCode).toBe(503);
    const alone = await serve({ lab: async () => sightOf(listed({ status: null })) });
    expect((await alone('/')).body).toContain('No worker answers for 1 of 1 experiments');
  });
});

describe('the page with a token', () => {
  const settings = { token, url: 'https://hephaestus.example' };

  it.each(['/', '/experiments/warmup', '/experiments/warmup/curves-light.svg'])(
    'shows %s only to whoever has logged in',
    async (path) => {
      const get = await serve({}, settings);
      const response = await get(path);
      expect(response.statusCode).toBe(303);
      expect(response.headers.location).toBe(`/login?next=${encodeURIComponent(path)}`);
    },
  );

  it('takes the token by the form, and once by the address', async () => {
    const get = await serve({}, settings);
    for (const response of [
      await get('/login', {}, { token, next: '/' }),
      await get(`/login?token=${token}&next=/`),
    ]) {
      expect(response.statusCode).toBe(303);
      expect(response.headers.location).toBe('/');
      const cookie = String(response.headers['set-cookie']);
      expect(cookie).toMatch(/HttpOnly.*Secure.*SameSite=Lax|Secure.*HttpOnly/);
      expect(cookie).not.toContain(token);
      const [session = ''] = cookie.split(';', 1);
      expect((await get('/', { cookie: session })).statusCode).toBe(200);
      const forged = session.replace(/\d\./, (found) => `${(Number(found[0]) + 1) % 10}.`);
      expect((await get('/', { cookie: forged })).statusCode).toBe(303);
    }
  });

  it.each<Record<string, string>>([{ token: 'wrong' }, { token: '' }, {}])('refuses %j', async (form) => {
    const get = await serve({}, settings);
    const response = await get('/login', {}, form);
    expect(response.statusCode).toBe(401);
    expect(response.headers['set-cookie']).toBeUndefined();
  });

  it.each(['//evil.example', 'https://evil.example/', '/\\evil.example', '\\\\evil.example'])(
    'leads nobody to %s',
    async (next) => {
      const get = await serve({}, settings);
      expect((await get('/login', {}, { token, next })).headers.location).toBe('/');
    },
  );

  it('stops a program that guesses', async () => {
    const get = await serve({}, settings);
    const codes: number[] = [];
    for (let index = 0; index < 25; index += 1)
      codes.push((await get('/login', {}, { token: `guess-${index}` })).statusCode);
    expect(codes.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 401));
    expect(codes.at(-1)).toBe(429);
  });
});
