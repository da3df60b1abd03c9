import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { createBody, openRawLab, type RawLab } from './lab-http.ts';

let lab: RawLab;

beforeAll(async () => {
  lab = await openRawLab({ behaviour: { dry: { runMs: 60_000 } } });
});
afterEach(async () => {
  for (const each of ['faults', 'settings', 'account', 'stats']) await lab.lab('DELETE', each);
});
afterAll(async () => {
  await lab.remove();
});

async function createAnswer(changes: object = {}, config: object = {}) {
  return (await lab.openapi('create', createBody('true', changes, config))).json ?? {};
}

describe('faults', () => {
  it('by chance are the same for the same seed, and last until they are taken away', async () => {
    const token = { authorization: `Bearer ${await lab.token()}` };
    const series = async (seed: number): Promise<string> => {
      await lab.lab('DELETE', 'faults');
      await lab.lab('POST', 'faults', { kind: 'bad-gateway', on: 'detail', rate: 0.5, seed });
      let met = '';
      for (let nth = 0; nth < 40; nth += 1) {
        const { status } = await lab.ask('POST', '/openapi/v1/train_job/detail', { job_id: 'x' }, token);
        met += status === 502 ? 'x' : '.';
      }
      return met;
    };
    const first = await series(3);
    expect(await series(3)).toBe(first);
    expect(await series(4)).not.toBe(first);
    expect(first.replaceAll('.', '').length).toBeGreaterThan(8);
    expect(first.replaceAll('.', '').length).toBeLessThan(32);
    const [fault] = (await lab.lab('GET', 'faults')).json as unknown as { met: number }[];
    expect(fault?.met).toBeGreaterThan(0);
  });

  it('half-json is whole by its length and no JSON', async () => {
    const id = await lab.create('true');
    await lab.lab('POST', 'faults', { kind: 'half-json', on: 'detail' });
    const { status, text, json, headers } = await lab.openapi('detail', { job_id: id });
    expect([status, json, Number(headers.get('content-length'))]).toEqual([
      200,
      undefined,
      Buffer.byteLength(text),
    ]);
    expect(text).toMatch(/^\{"code":0/);
  });

  it('slow-body comes bit by bit, and whole in the end', async () => {
    const id = await lab.create('true');
    await lab.lab('POST', 'faults', { kind: 'slow-body', on: 'detail', delayMs: 400 });
    const token = await lab.token();
    const started = performance.now();
    const answer = await fetch(`${lab.standIn.url}/openapi/v1/train_job/detail`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ job_id: id }),
    });
    let pieces = 0;
    let text = '';
    const decoder = new TextDecoder();
    for await (const piece of answer.body ?? []) {
      pieces += 1;
      text += decoder.decode(piece, { stream: true });
    }
    expect(pieces).toBeGreaterThan(5);
    expect(performance.now() - started).toBeGreaterThanOrEqual(350);
    expect(JSON.parse(text)).toMatchObject({ code: 0, data: { job_id: id } });
  });

  it.each([
    ['commit-then-html', { status: 502 }],
    ['commit-then-timeout', { status: 200 }],
  ])('%s does what was asked first', async (kind, answer) => {
    const jobs = async () => (await lab.lab('GET', 'stats')).json?.['jobs'];
    const before = Number(await jobs());
    await lab.lab('POST', 'faults', { kind, on: 'create', delayMs: 600 });
    const asked = lab.openapi('create', createBody('true'));
    if (kind === 'commit-then-timeout') {
      const early = await Promise.race([asked, waitForJobs(before + 1)]);
      expect(early).toBe('made');
    }
    expect(await asked).toMatchObject(answer);
    expect(await jobs()).toBe(before + 1);
  });

  it('that cannot be made are refused with the reason', async () => {
    const { status, json } = await lab.lab('POST', 'faults', { kind: 'delay', on: 'logs', rate: 2 });
    expect(status).toBe(400);
    expect(String(json?.['error'])).toMatch(/on[\s\S]*rate|rate[\s\S]*on/);
    expect(String((await lab.lab('POST', 'faults', { kind: 'delay', on: 'stop' })).json?.['error'])).toMatch(
      /delayMs/,
    );
  });
});

async function waitForJobs(count: number): Promise<'made'> {
  for (;;) {
    if ((await lab.lab('GET', 'stats')).json?.['jobs'] === count) return 'made';
  }
}

describe('the account and its tokens', () => {
  it.each(['code', '401', '302'] as const)('every token can be revoked at once, told by %s', async (mode) => {
    const authorization = `Bearer ${await lab.token()}`;
    const ask = async () =>
      lab.ask('POST', '/openapi/v1/train_job/detail', { job_id: 'x' }, { authorization });
    expect((await ask()).json).toMatchObject({ code: 100_002 });
    await lab.set({ token: { expired: mode } });
    await lab.lab('DELETE', 'tokens');
    const { status, json } = await ask();
    expect(status).toBe({ code: 200, '401': 401, '302': 302 }[mode]);
    if (mode === 'code') expect(json).toMatchObject({ code: -1 });
  });

  it('a token lives as long as is set, and is written in the shape that is set', async () => {
    await lab.set({ token: { lifetimeSeconds: 1000, shape: 'number' } });
    expect((await lab.logIn()).json).toMatchObject({ code: 0, data: { expires_in: 1000 } });
    await lab.set({ token: { shape: 'bare' } });
    expect((await lab.logIn()).json).toMatchObject({ expires_in: 1000, access_token: expect.any(String) });
    await lab.lab('DELETE', 'settings');
    expect((await lab.logIn()).json).toMatchObject({ data: { expires_in: '604800' } });
    await lab.set({ token: { lifetimeSeconds: 0.2 } });
    const authorization = `Bearer ${await lab.token()}`;
    const ask = async () =>
      lab.ask('POST', '/openapi/v1/train_job/detail', { job_id: 'x' }, { authorization });
    expect((await ask()).json).toMatchObject({ code: 100_002 });
    await vi.waitFor(async () => expect((await ask()).json).toMatchObject({ code: -1 }), 5000);
  });

  it('is locked by wrong passwords, and can be unlocked', async () => {
    await lab.set({ account: { triesBeforeLock: 2 } });
    await lab.logIn('wrong');
    expect((await lab.lab('GET', 'account')).json).toMatchObject({ locked: false });
    await lab.logIn('wrong');
    expect((await lab.lab('GET', 'account')).json).toMatchObject({ locked: true });
    expect((await lab.logIn()).json).toMatchObject({ code: 100_001, message: 'account is locked' });
    await lab.lab('DELETE', 'account');
    expect((await lab.logIn()).json).toMatchObject({ code: 0 });
  });

  it('of CAS is refused although the password is right', async () => {
    await lab.set({ account: { cas: true } });
    expect((await lab.logIn()).json).toMatchObject({ code: 100_001, message: 'invalid_grant' });
  });
});

describe('create is refused', () => {
  const spec = '00000000-0000-4000-8000-000000000004';
  const group = 'lcg-00000000-0000-4000-8000-000000000001';

  it('for want of quota, with the two limits in the text', async () => {
    const open = (await lab.lab('GET', 'jobs')).json as unknown as { id: string }[];
    for (const { id } of open) await lab.openapi('stop', { job_id: id });
    for (const { id } of open) await lab.reached(id, 'job_stopped', 'job_succeeded');
    await lab.set({ create: { quota: { runGpus: 16, submitGpus: 2 } } });
    expect(await createAnswer({}, { instance_count: 2 })).toMatchObject({ code: 0 });
    const refused = await createAnswer();
    expect(refused).toMatchObject({ code: 100_000, message: expect.stringMatching(/16 卡.*2 卡.*提交失败/) });
  });

  it.each([
    ['a priority above the cap', { priorityCap: 3 }, { code: 200_006 }],
    ['a group that does not exist', { groups: ['lcg-other'] }, { message: /计算类型组不存在/ }],
    [
      'a spec that the group lacks',
      { specs: { [spec]: { gpus: 8, groups: ['lcg-other'] } } },
      { message: /does not belong to logic_compute_group lcg-/ },
    ],
    [
      'a level that the spec lacks',
      { specs: { [spec]: { gpus: 8, levels: ['HIGH'] } } },
      { message: /优先级/ },
    ],
    ['an image that does not exist', { images: {} }, { message: /无法找到对应镜像/ }],
    [
      'an image of another visibility',
      { images: { 'registry.invalid/demo:1.0': 'SOURCE_PUBLIC' } },
      { message: /Unauthorized/ },
    ],
  ])('for %s', async (_what, create, expected) => {
    expect(await createAnswer()).toMatchObject({ code: 0 });
    await lab.set({ create });
    const { code, message } = await createAnswer();
    expect(code).not.toBe(0);
    if ('code' in expected) expect(code).toBe(expected.code);
    else expect(message).toMatch(expected.message);
  });

  it('not for an image that is pulled later: the job queues for ever, and its events tell why', async () => {
    await lab.set({
      create: { images: {}, unknownImage: 'pulled', specs: { [spec]: { gpus: 8, groups: [group] } } },
    });
    const id = await lab.create('true');
    const job = await lab.reached(id, 'job_queuing');
    expect(job.events.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['ErrImagePull', 'ImagePullBackOff']),
    );
    expect(await lab.detail(id)).toMatchObject({ gpu_count: 8 });
  });
});

describe('settings and figures', () => {
  it('refuse what they do not know, and say so', async () => {
    const { status, json } = await lab.set({ token: { lifetimeSeconds: -1 }, tokens: {} });
    expect(status).toBe(400);
    expect(String(json?.['error'])).toMatch(/tokens/);
    expect(String((await lab.set({ token: { lifetimeSeconds: -1 } })).json?.['error'])).toMatch(
      /token.lifetimeSeconds/,
    );
    expect((await lab.lab('GET', 'settings')).json).toMatchObject({ token: { lifetimeSeconds: 604_800 } });
  });

  it('tell times that are off by the skew, in headers too', async () => {
    const id = await lab.create('true');
    const job = (await lab.lab('GET', `jobs/${id}`)).json as { createdAt: number };
    await lab.set({ clock: { skewMs: -3_600_000 } });
    expect(await lab.detail(id)).toMatchObject({ created_at: String(job.createdAt - 3_600_000) });
    const { headers } = await lab.openapi('detail', { job_id: id });
    const behind = Date.now() - Date.parse(headers.get('date') ?? '');
    expect(Math.abs(behind - 3_600_000)).toBeLessThan(5000);
  });

  it('count the requests, and the most of any second', async () => {
    const authorization = `Bearer ${await lab.token()}`;
    await lab.lab('DELETE', 'stats');
    const ask = async () =>
      lab.ask('POST', '/openapi/v1/train_job/detail', { job_id: 'x' }, { authorization });
    await Promise.all(Array.from({ length: 12 }, ask));
    expect((await lab.lab('GET', 'stats')).json).toMatchObject({
      detail: 12,
      requests: 12,
      token: 0,
      mostPerSecond: { detail: 12, requests: 12 },
    });
  });
});

describe('docs/lab.md', () => {
  it('has only lines that the stand-in takes', async () => {
    await lab.create('true');
    const docs = await readFile(join(import.meta.dirname, '../../../docs/lab.md'), 'utf8');
    const lines = [...docs.matchAll(/^curl -X (\w+) \$lab\/(\S+)(?: -d '(.*?)')?/gm)];
    expect(lines.length).toBeGreaterThan(30);
    for (const [line, method = '', path = '', body] of lines) {
      const { status, text } = await lab.lab(method, path, body);
      expect({ line, status, text }).toMatchObject({ status: expect.toSatisfy((code) => code < 300) });
    }
    await lab.lab('DELETE', 'scripts');
  });
});

describe('thousands of jobs', () => {
  it('that only queue cost next to nothing', async () => {
    await lab.set({ times: { queuingMs: 3_600_000 } });
    const authorization = `Bearer ${await lab.token()}`;
    const body = createBody('true', { name: 'many' });
    for (let batch = 0; batch < 40; batch += 1) {
      await Promise.all(
        Array.from({ length: 50 }, async () =>
          lab.ask('POST', '/openapi/v1/train_job/create', body, { authorization }),
        ),
      );
    }
    const id = await lab.create('true');
    await lab.reached(id, 'job_queuing');
    const before = process.cpuUsage();
    const started = performance.now();
    await lab.lab('GET', 'settings');
    await expect.poll(() => performance.now() - started, { timeout: 5000 }).toBeGreaterThan(1000);
    const used = process.cpuUsage(before);
    expect((used.user + used.system) / 1000).toBeLessThan(500);
  });
});
