import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { body, createdJob, openLab, type Lab } from './lab.ts';

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
});
