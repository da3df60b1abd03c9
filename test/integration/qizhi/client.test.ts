import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { body, createdJob, openLab, reached, type Lab, type SurfaceName } from './lab.ts';

let lab: Lab;
const v2 = { enabled: true, list: true, credentials: ['token', 'cookie', 'keycloak'] as const };

beforeAll(async () => {
  lab = await openLab({ behaviour: { v2: { ...v2, credentials: [...v2.credentials] } } });
});
afterEach(async () => {
  await fetch(`${lab.standIn.url}/_lab/faults`, { method: 'DELETE' });
});
afterAll(async () => {
  await lab.remove();
});

const unknownJob = 'job-00000000-0000-4000-8000-000000000000';

interface Rejection {
  readonly code?: number;
  readonly errorCode?: string;
  readonly message: string;
  readonly httpStatus?: number;
}

const refusals: Readonly<Record<SurfaceName, readonly (readonly [Rejection, string])[]>> = {
  openapi: [
    [{ code: 100_002, message: 'proto: (line 1:2): unknown field "x"' }, 'QizhiInvalid'],
    [{ code: -100_000, message: '参数校验错误', httpStatus: 400 }, 'QizhiInvalid'],
    [{ code: 200_006, message: '优先级超过项目上限' }, 'QizhiInvalid'],
    [{ code: 2005, message: '无访问权限' }, 'QizhiForbidden'],
    [{ code: 100_003, message: 'no permission' }, 'QizhiForbidden'],
    [{ code: 100_005, message: '总项目配额不足，超出总提交配额限制，该任务提交失败' }, 'QizhiQuotaRefused'],
    [{ code: 100_000, message: '父项目配额不足', httpStatus: 500 }, 'QizhiQuotaRefused'],
  ],
  v2: [
    [{ errorCode: 'InvalidParameter', message: '任务优先级不在该资源规格允许的范围内' }, 'QizhiInvalid'],
    [{ errorCode: 'InvalidAction', message: 'unknown action: CreateJob' }, 'QizhiInvalid'],
    [{ errorCode: 'AccessForbidden', message: '您已离开所选项目，无法创建' }, 'QizhiForbidden'],
    [{ errorCode: 'InternalError', message: '总项目配额不足，该任务提交失败' }, 'QizhiQuotaRefused'],
    [{ errorCode: 'Throttling', message: 'slow down' }, 'QizhiRateLimited'],
  ],
};

const unclear: Readonly<Record<SurfaceName, readonly Rejection[]>> = {
  openapi: [
    { code: 100_002, message: 'unknown field', httpStatus: 500 },
    { code: 100_000, message: 'panic' },
    { code: 424_242, message: 'something new' },
  ],
  v2: [
    { errorCode: 'InvalidParameter', message: 'unknown field', httpStatus: 502 },
    { errorCode: 'InternalError', message: 'Unauthorized' },
    { errorCode: 'RequestTimeout', message: 'took too long' },
    { errorCode: 'SomethingNew', message: 'something new' },
  ],
};

const askedAgain: Readonly<Record<SurfaceName, readonly Rejection[]>> = {
  openapi: [
    { code: 100_000, message: 'panic' },
    { code: 500, message: 'panic', httpStatus: 500 },
    { code: 100_002, message: 'not found', httpStatus: 503 },
    { code: -100_000, message: '参数校验错误', httpStatus: 400 },
    { code: 424_242, message: 'something new' },
  ],
  v2: [
    { errorCode: 'InternalError', message: 'panic' },
    { errorCode: 'AccessForbidden', message: 'not yours', httpStatus: 500 },
    { errorCode: 'InvalidParameter', message: 'unknown field "job_id"' },
    { errorCode: 'ServiceUnavailable', message: 'later' },
    { errorCode: 'SomethingNew', message: 'something new' },
  ],
};

describe.each(['openapi', 'v2'] as const)('the client of %s', (api) => {
  const client = (changes: Parameters<Lab['client']>[0] = {}) => lab.client({ api, ...changes });

  describe('create', () => {
    it.each([
      ['commit-then-drop', /lost/, 1],
      ['commit-then-500', /server fault/, 1],
      ['commit-then-html', /HTML page/, 1],
      ['commit-without-job-id', /without a usable job_id/, 1],
      ['half-json', /not the platform's JSON/, 1],
      ['drop', /lost/, 0],
      ['html', /HTML page/, 0],
      ['bad-gateway', /HTTP 502/, 0],
      ['empty', /empty body/, 0],
    ] as const)('calls the outcome of %s unknown and does not send again', async (kind, reason, jobs) => {
      const before = await lab.stats();
      await lab.fault({ kind, on: 'create' });
      const outcome = await client().createJob(body('true'));
      expect(outcome).toMatchObject({ status: 'unknown', reason: expect.stringMatching(reason) });
      const after = await lab.stats();
      expect([after.create - before.create, after.jobs - before.jobs]).toEqual([1, jobs]);
    });

    it.each(['delay', 'commit-then-timeout'] as const)(
      'calls the outcome unknown when the answer does not come in time: %s',
      async (kind) => {
        const before = await lab.stats();
        await lab.fault({ kind, on: 'create', delayMs: 1500 });
        expect(await client({ timeoutMs: 300 }).createJob(body('true'))).toMatchObject({
          status: 'unknown',
          reason: expect.stringMatching(/no whole answer within 300 ms/),
        });
        // The job comes all the same, and must not be counted by whoever asks next.
        await vi.waitFor(async () => expect((await lab.stats()).jobs).toBe(before.jobs + 1), 5000);
      },
    );

    it.each(refusals[api])('takes a clear refusal for what it is: %j', async (rejection, type) => {
      await lab.fault({ kind: 'reject', on: 'create', ...rejection });
      await expect(client().createJob(body('true'))).rejects.toMatchObject({ type });
    });

    it.each(unclear[api])(
      'does not trust a refusal that may have left a job behind: %j',
      async (rejection) => {
        await lab.fault({ kind: 'reject', on: 'create', ...rejection });
        expect(await client().createJob(body('true'))).toMatchObject({
          status: 'unknown',
          reason: expect.stringContaining(rejection.message),
        });
      },
    );

    it('says when to come back after 429, whatever its page looks like', async () => {
      await lab.fault({ kind: 'too-many', on: 'create' });
      await expect(client().createJob(body('true'))).rejects.toMatchObject({
        type: 'QizhiRateLimited',
        retryAfterMs: expect.any(Number),
      });
      const asked = client();
      await lab.fault({ kind: 'too-many', on: 'create', retryAfterSeconds: 7 });
      await expect(asked.createJob(body('true'))).rejects.toMatchObject({ retryAfterMs: 7000 });
      const before = await lab.stats();
      const failure = await asked.getJob(unknownJob).catch((error: unknown) => error);
      expect(failure).toMatchObject({ type: 'QizhiRateLimited' });
      expect((failure as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(5000);
      expect((await lab.stats()).detail).toBe(before.detail);
    });

    it('knows that nothing was sent when nobody listens', async () => {
      const nobody = client({ baseUrl: 'http://127.0.0.1:1' });
      await expect(nobody.createJob(body('true'))).rejects.toMatchObject({
        type: 'QizhiUnavailable',
        message: expect.stringMatching(/ECONNREFUSED/),
      });
    });

    it('says so when the address is not of the platform', async () => {
      const credential = { kind: 'token', value: 'lab-keycloak-token', file: undefined } as const;
      const elsewhere = client({ baseUrl: `${lab.standIn.url}/elsewhere`, credential });
      await expect(elsewhere.createJob(body('true'))).rejects.toMatchObject({
        type: 'QizhiInvalid',
        message: expect.stringContaining('QIZHI_API'),
      });
    });

    it('is taken as strictly as by the platform', async () => {
      const extra = { ...body('true'), gpu_count: 8 };
      await expect(client().createJob(extra)).rejects.toThrow(/unknown field "gpu_count"/);
      const number = { ...body('true'), max_running_time_ms: 1 as unknown as string };
      await expect(client().createJob(number)).rejects.toThrow(/invalid value for string field/);
    });
  });

  describe('detail and stop', () => {
    it('does not find a job that is not there', async () => {
      await expect(client().getJob(unknownJob)).rejects.toMatchObject({ type: 'JobNotFound' });
      await expect(client().stopJob('job-x')).rejects.toMatchObject({ type: 'JobNotFound' });
    });

    it.each(['drop', 'bad-gateway', 'html', 'empty', 'half-json'] as const)(
      'may ask again after %s',
      async (kind) => {
        const asking = client();
        const id = await createdJob(asking, 'true');
        await lab.fault({ kind, on: 'detail' });
        await expect(asking.getJob(id)).rejects.toMatchObject({ type: 'QizhiUnavailable' });
        expect((await asking.getJob(id)).round).toBe(1);
      },
    );

    it('keeps a status that it does not know, and never takes it for an end', async () => {
      const id = await createdJob(client(), 'true');
      await lab.show(id, { status: 'job_teleporting', reason: 'why not', round: 2 });
      expect(await client().getJob(id)).toMatchObject({
        jobId: id,
        state: 'unknown',
        rawStatus: 'job_teleporting',
        reason: 'why not',
        round: 2,
      });
    });

    it('tells how long the time limit leaves, of a job that runs', async () => {
      const id = await createdJob(client(), 'sleep 30');
      expect(await reached(client(), id, 'running')).toMatchObject({ state: 'running' });
      const { leftMs, runningMs } = await client().getJob(id);
      expect((leftMs ?? 0) + runningMs).toBe(12 * 3_600_000);
      await client().stopJob(id);
      await reached(client(), id, 'stopped');
    });

    it.each([
      { code: 100_009, errorCode: 'Conflict' },
      { code: 100_002, errorCode: 'InternalError' },
    ])('tells a conflict apart that comes with %j', async (codes) => {
      const id = await createdJob(client(), 'true');
      await lab.fault({
        kind: 'reject',
        on: 'stop',
        ...codes,
        message: 'Conflict: 当前状态（创建中）无法停止',
      });
      await expect(client().stopJob(id)).rejects.toMatchObject({
        type: 'QizhiConflict',
        retryAfterMs: expect.any(Number),
      });
    });

    it.each(askedAgain[api])('asks again after what says nothing of the job: %j', async (rejection) => {
      const id = await createdJob(client(), 'true');
      await lab.fault({ kind: 'reject', on: 'detail', ...rejection });
      await expect(client().getJob(id)).rejects.toMatchObject({ type: 'QizhiUnavailable' });
    });
  });
});
