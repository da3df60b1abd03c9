import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { createQizhiClient } from '../../../infra/qizhi/client.ts';
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

describe('create', () => {
  it.each([
    ['commit-then-drop', /lost/, 1],
    ['commit-then-500', /server fault \(code 500/, 1],
    ['commit-without-job-id', /without a usable job_id/, 1],
    ['drop', /lost/, 0],
    ['html', /HTML page/, 0],
    ['bad-gateway', /HTTP 502/, 0],
    ['empty', /empty body/, 0],
  ] as const)('calls the outcome of %s unknown and does not send again', async (kind, reason, jobs) => {
    const client = lab.client();
    const before = await lab.stats();
    await lab.fault({ kind, on: 'create' });
    const outcome = await client.createJob(body('true'));
    expect(outcome).toMatchObject({ status: 'unknown', reason: expect.stringMatching(reason) });
    const after = await lab.stats();
    expect([after.create - before.create, after.jobs - before.jobs]).toEqual([1, jobs]);
  });

  it('calls the outcome unknown when the answer does not come in time', async () => {
    const client = lab.client({ timeoutMs: 300 });
    await lab.fault({ kind: 'delay', on: 'create', delayMs: 1500 });
    expect(await client.createJob(body('true'))).toMatchObject({
      status: 'unknown',
      reason: expect.stringMatching(/no whole answer within 300 ms/),
    });
  });

  it.each([
    [{ code: 100_002, message: 'proto: (line 1:2): unknown field "x"' }, 'QizhiInvalid'],
    [{ code: -100_000, message: '参数校验错误', httpStatus: 400 }, 'QizhiInvalid'],
    [{ code: 200_006, message: '优先级超过项目上限' }, 'QizhiInvalid'],
    [{ code: 100_003, message: 'no permission' }, 'QizhiForbidden'],
    [{ code: 100_005, message: '总项目配额不足，超出总提交配额限制，该任务提交失败' }, 'QizhiQuotaRefused'],
    [{ code: 100_000, message: '父项目配额不足', httpStatus: 500 }, 'QizhiQuotaRefused'],
    [{ code: 424_242, message: 'something new' }, 'QizhiInvalid'],
  ])('takes a clear refusal for what it is: %j', async (refusal, type) => {
    await lab.fault({ kind: 'reject', on: 'create', ...refusal });
    await expect(lab.client().createJob(body('true'))).rejects.toMatchObject({
      type,
      message: expect.stringContaining(refusal.message),
    });
  });

  it('does not trust a refusal that came as a server fault', async () => {
    await lab.fault({
      kind: 'reject',
      on: 'create',
      httpStatus: 500,
      code: 100_002,
      message: 'unknown field',
    });
    expect((await lab.client().createJob(body('true'))).status).toBe('unknown');
    await lab.fault({ kind: 'reject', on: 'create', code: 100_000, message: 'panic' });
    expect((await lab.client().createJob(body('true'))).status).toBe('unknown');
  });

  it('says when to come back after 429, whatever its page looks like', async () => {
    const client = lab.client();
    await lab.fault({ kind: 'too-many', on: 'create', retryAfterSeconds: 7 });
    await expect(client.createJob(body('true'))).rejects.toMatchObject({
      type: 'QizhiRateLimited',
      retryAfterMs: 7000,
    });
    await lab.fault({ kind: 'too-many', on: 'create' });
    await expect(client.createJob(body('true'))).rejects.toMatchObject({
      type: 'QizhiRateLimited',
      retryAfterMs: expect.any(Number),
    });
  });

  it('knows that nothing was sent when nobody listens', async () => {
    const settings = { baseUrl: 'http://127.0.0.1:1', proxy: undefined, ...account };
    await expect(createQizhiClient(settings).createJob(body('true'))).rejects.toMatchObject({
      type: 'QizhiUnavailable',
      message: expect.stringMatching(/ECONNREFUSED/),
    });
  });

  it('is taken as strictly as by the platform', async () => {
    const client = lab.client();
    const extra = { ...body('true'), gpu_count: 8 };
    await expect(client.createJob(extra)).rejects.toThrow(/proto: \(line 1:\d+\): unknown field "gpu_count"/);
    const number = { ...body('true'), max_running_time_ms: 1 as unknown as string };
    await expect(client.createJob(number)).rejects.toThrow(/invalid value for string field maxRunningTimeMs/);
  });
});

describe('detail and stop', () => {
  it('does not find a job that is not there', async () => {
    const client = lab.client();
    await expect(client.getJob('job-00000000-0000-4000-8000-000000000000')).rejects.toMatchObject({
      type: 'JobNotFound',
    });
    await expect(client.stopJob('job-x')).rejects.toMatchObject({ type: 'JobNotFound' });
  });

  it.each(['drop', 'bad-gateway', 'html', 'empty'] as const)('may ask again after %s', async (kind) => {
    const client = lab.client();
    const id = await createdJob(client, 'true');
    await lab.fault({ kind, on: 'detail' });
    await expect(client.getJob(id)).rejects.toMatchObject({ type: 'QizhiUnavailable' });
    expect((await client.getJob(id)).round).toBe(1);
  });

  it('keeps a status that it does not know, and never takes it for an end', async () => {
    const client = lab.client();
    const id = await createdJob(client, 'true');
    await lab.show(id, { status: 'job_teleporting', reason: 'why not', round: 2 });
    expect(await client.getJob(id)).toMatchObject({
      state: 'unknown',
      rawStatus: 'job_teleporting',
      reason: 'why not',
      round: 2,
    });
  });

  it.each([100_009, 100_002])('tells a conflict apart that comes with code %s', async (code) => {
    await lab.fault({ kind: 'reject', on: 'stop', code, message: 'Conflict: 当前状态（创建中）无法停止' });
    const client = lab.client();
    const id = await createdJob(client, 'true');
    await expect(client.stopJob(id)).rejects.toMatchObject({
      type: 'QizhiConflict',
      retryAfterMs: expect.any(Number),
    });
  });

  it('asks again after a code that it does not know', async () => {
    const client = lab.client();
    const id = await createdJob(client, 'true');
    for (const [code, httpStatus] of [
      [100_000, 200],
      [500, 500],
      [424_242, 200],
    ] as const) {
      await lab.fault({ kind: 'reject', on: 'detail', code, httpStatus });
      await expect(client.getJob(id)).rejects.toMatchObject({ type: 'QizhiUnavailable' });
    }
  });
});

describe('proxy', () => {
  let proxy: Server;
  const seen: string[] = [];

  beforeAll(async () => {
    proxy = createServer((incoming, outgoing) => {
      seen.push(incoming.url ?? '');
      const onward = request(
        incoming.url ?? '',
        { method: incoming.method, headers: incoming.headers },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(outgoing);
        },
      );
      incoming.pipe(onward);
    });
    await new Promise<void>((resolve) => {
      proxy.listen(0, '127.0.0.1', resolve);
    });
  });
  afterAll(() => {
    proxy.close();
  });

  it('is used when it is given', async () => {
    const client = lab.client({ proxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
    expect(await createdJob(client, 'true')).toMatch(/^job-/);
    expect(seen).toEqual([`${lab.standIn.url}/auth/token`, `${lab.standIn.url}/openapi/v1/train_job/create`]);
  });

  it('that nobody answers at means that nothing was sent', async () => {
    await expect(lab.client({ proxy: 'http://127.0.0.1:1' }).createJob(body('true'))).rejects.toMatchObject({
      type: 'QizhiUnavailable',
    });
  });
});
