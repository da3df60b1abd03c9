import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { account, body, createdJob, openLab, type Lab } from './lab.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await openLab();
});
afterEach(async () => {
  await fetch(`${lab.standIn.url}/_lab/faults`, { method: 'DELETE' });
});
afterAll(async () => {
  await lab.remove();
});

describe('login', () => {
  it('logs in once for many questions at once', async () => {
    const before = await lab.stats();
    const client = lab.client();
    const id = await createdJob(client, 'true');
    await Promise.all(Array.from({ length: 10 }, async () => client.getJob(id)));
    const shared = lab.client();
    await Promise.all(Array.from({ length: 10 }, async () => shared.getJob(id)));
    expect((await lab.stats()).logins - before.logins).toBe(2);
  });

  it('tries a wrong password once and never again, and keeps it to itself', async () => {
    const before = await lab.stats();
    const client = lab.client({ password: 'canary-wrong' });
    const questions = Array.from({ length: 5 }, async () => client.getJob('job-x'));
    const settled = await Promise.allSettled(questions);
    await expect(client.createJob(body('true'))).rejects.toMatchObject({ type: 'QizhiUnauthorized' });
    for (const result of settled) {
      expect(result).toMatchObject({ status: 'rejected', reason: { type: 'QizhiUnauthorized' } });
      const reason = (result as PromiseRejectedResult).reason as Error;
      expect(reason.message).toMatch(/lock the account/);
      expect(`${reason.message} ${JSON.stringify(reason)} ${reason.stack}`).not.toContain('canary-wrong');
    }
    expect((await lab.stats()).refused - before.refused).toBe(1);
  });

  it.each(['code', '401', '302'] as const)(
    'renews a token that ended (%s) once and repeats',
    async (mode) => {
      const client = lab.client();
      const id = await createdJob(client, 'true');
      const before = await lab.stats();
      await lab.fault({ kind: 'token-expired', on: 'detail', mode });
      expect((await client.getJob(id)).rawStatus).toMatch(/^job_/);
      const after = await lab.stats();
      expect([after.logins - before.logins, after.detail - before.detail]).toEqual([1, 2]);
    },
  );

  it('may repeat a create that was turned away by an ended token: one job', async () => {
    const before = await lab.stats();
    await lab.fault({ kind: 'token-expired', on: 'create', mode: '401' });
    expect((await lab.client().createJob(body('true'))).status).toBe('created');
    expect((await lab.stats()).jobs - before.jobs).toBe(1);
  });

  it('does not log in for every question while fresh tokens are refused', async () => {
    const client = lab.client();
    const id = await createdJob(client, 'true');
    const before = await lab.stats();
    await lab.fault({ kind: 'token-expired', on: 'detail', times: 50 });
    for (let turn = 0; turn < 5; turn += 1) {
      await expect(client.getJob(id)).rejects.toMatchObject({ type: 'QizhiUnavailable' });
    }
    expect((await lab.stats()).logins - before.logins).toBe(1);
  });

  it.each(['number', 'bare'] as const)('reads a login answer of the shape: %s', async (tokenShape) => {
    const other = await openLab({ tokenShape, tokenLifetimeSeconds: 100 });
    expect(await createdJob(other.client(), 'true')).toMatch(/^job-/);
    await other.remove();
  });

  it.each(['bad-gateway', 'html', 'login-redirect', 'drop', 'empty'] as const)(
    'takes a login answered by %s for trouble, not for a wrong password',
    async (kind) => {
      const client = lab.client();
      await lab.fault({ kind, on: 'token' });
      await expect(client.createJob(body('true'))).rejects.toMatchObject({ type: 'QizhiUnavailable' });
      expect((await client.createJob(body('true'))).status).toBe('created');
    },
  );

  it('names the case of a campus account, whose right password is refused', async () => {
    const other = await openLab({ behaviour: { account: { cas: true } } });
    await expect(other.client().createJob(body('true'))).rejects.toMatchObject({
      type: 'QizhiUnauthorized',
      message: expect.stringMatching(/"invalid_grant".*CAS.*QIZHI_API=v2/s),
    });
    await other.remove();
  });

  it('leaves a login alone for a while that ended in a fault of the platform', async () => {
    const client = lab.client();
    await lab.fault({ kind: 'reject', on: 'token', code: 100_000, httpStatus: 500 });
    await expect(client.createJob(body('true'))).rejects.toMatchObject({ type: 'QizhiUnavailable' });
    const before = await lab.stats();
    const failure = await client.createJob(body('true')).catch((error: unknown) => error);
    expect((failure as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(50_000);
    expect((await lab.stats()).token).toBe(before.token);
  });
});

describe('a credential that others make', () => {
  let v2: Lab;
  let file: string;

  beforeAll(async () => {
    v2 = await openLab({ behaviour: { v2: { enabled: true, credentials: ['cookie', 'keycloak'] } } });
    file = join(v2.directory, 'session');
  });
  afterEach(async () => {
    await v2.set({ v2: { session: 'lab-session' } });
  });
  afterAll(async () => {
    await v2.remove();
  });

  it.each([
    { kind: 'token', value: 'lab-keycloak-token', file: undefined },
    { kind: 'cookie', value: 'lab-session', file: undefined },
  ] as const)('opens v2 without a login: %j', async (credential) => {
    expect(await createdJob(v2.client({ api: 'v2', credential }), 'true')).toMatch(/^job-/);
    expect((await v2.stats()).token).toBe(0);
  });

  it('is read again from its file when it was refused, and the question is repeated', async () => {
    await writeFile(file, 'lab-session-2\n');
    const client = v2.client({ api: 'v2', credential: { kind: 'cookie', value: 'lab-session', file } });
    const id = await createdJob(client, 'true');
    await v2.set({ v2: { session: 'lab-session-2' } });
    const before = await v2.stats();
    expect((await client.getJob(id)).jobId).toBe(id);
    expect((await v2.stats()).detail - before.detail).toBe(2);
  });

  it.each([
    ['the same stands in the file', async () => writeFile(file, 'gone-stale')],
    ['the file is half written', async () => writeFile(file, 'two\nlines')],
    ['there is no file', async () => rm(file, { force: true })],
  ])('is not sent over and over while %s', async (_what, prepare) => {
    await prepare();
    const client = v2.client({ api: 'v2', credential: { kind: 'cookie', value: 'gone-stale', file } });
    const before = await v2.stats();
    for (let turn = 0; turn < 5; turn += 1) {
      const failure = await client.getJob('job-x').catch((error: unknown) => error as Error);
      expect(failure).toMatchObject({ type: 'QizhiUnauthorized', retry: true, retryAfterMs: 60_000 });
      expect((failure as Error).message).toContain('QIZHI_SESSION_COOKIE_FILE');
      expect((failure as Error).message).not.toContain('gone-stale');
    }
    expect((await v2.stats()).detail - before.detail).toBe(1);
  });

  it('that never names who asks is turned away', async () => {
    const credential = { kind: 'cookie', value: 'lab-session', file: undefined } as const;
    const client = v2.client({ api: 'v2', credential, clientSource: '' });
    await expect(client.getJob('job-x')).rejects.toMatchObject({
      type: 'QizhiUnauthorized',
      message: expect.stringContaining('QIZHI_CLIENT_SOURCE'),
    });
  });
});

describe('the log', () => {
  it('tells of every request, and of no secret', async () => {
    const other = await openLab({ behaviour: { v2: { enabled: true, list: true } } });
    const lines: string[] = [];
    const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
    const cookie = { kind: 'cookie', value: 'lab-session', file: undefined } as const;
    const wrong = { kind: 'token', value: 'canary-token', file: undefined } as const;
    const clients = [
      other.client({ log }),
      other.client({ log, password: 'canary-wrong' }),
      other.client({ log, api: 'v2', credential: cookie }),
      other.client({ log, api: 'v2', credential: wrong }),
      other.client({ log, proxy: 'http://ann:canary-proxy@127.0.0.1:1' }),
    ];
    const [client] = clients;
    const id = client === undefined ? '' : await createdJob(client, 'echo canary-command');
    await other.fault({ kind: 'drop', on: 'detail' });
    for (const each of clients) {
      await Promise.allSettled([each.getJob(id), each.explainJob(id)]);
      await each.getJob(id).catch(() => undefined);
    }
    const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const { requests } = (await other.stats()) as unknown as { requests: number };
    const neverSent = told.filter((line) => line['neverSent'] === true);
    expect(told.length).toBe(requests + neverSent.length);
    expect(neverSent.length).toBeGreaterThan(0);
    expect(told).toContainEqual(
      expect.objectContaining({
        action: 'detail',
        httpStatus: 200,
        jobId: id,
        ms: expect.any(Number),
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        platformRequestId: expect.any(String),
      }),
    );
    const text = lines.join('');
    for (const secret of [account.password, 'canary', 'lab-session', 'Bearer'])
      expect(text).not.toContain(secret);
    await other.remove();
  });
});
