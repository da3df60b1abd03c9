import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { startWandbStandIn } from '../../../infra/lab/wandb/start-wandb-stand-in.ts';
import type { StandIn } from '../../../infra/lab/stand-in.ts';
import { createWandbClient } from '../../../infra/wandb/create-wandb-client.ts';
import type { WandbClient } from '../../../infra/wandb/wandb-client.ts';

const apiKey = 'canary-key-of-more-than-forty-characters-for-tests';
const project = { entity: 'lab', project: 'digits' };
let folder: string;
let server: StandIn;
let client: WandbClient;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hephaestus-test-'));
  server = await startWandbStandIn({ directory: folder, apiKey });
  client = createWandbClient({ baseUrl: server.url, apiKey, entity: undefined, project: undefined });
  await upsert('one', { groupName: 'first', tags: ['a', 'experiment:first'] });
  await upsert('two', { tags: ['b'] });
  const rows = [
    '{"_step":0,"loss":1}',
    '{"_step":1,"other":1}',
    '{"_step":2,"loss":NaN}',
    '{"_step":2,"loss":0.5}',
  ];
  await stream('one', {
    files: {
      'wandb-history.jsonl': { offset: 0, content: rows },
      'wandb-summary.json': { offset: 0, content: ['{"loss":0.5,"bad":NaN}'] },
    },
    complete: true,
    exitcode: 0,
  });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

async function send(path: string, body: object): Promise<void> {
  const authorization = `Basic ${Buffer.from(`api:${apiKey}`).toString('base64')}`;
  const response = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { authorization },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
}

async function upsert(name: string, input: object): Promise<void> {
  await send('/graphql', {
    query: 'mutation Make($input: UpsertBucketInput!) { upsertBucket(input: $input) { inserted } }',
    variables: { input: { name, modelName: 'digits', ...input } },
  });
}

async function stream(run: string, body: object): Promise<void> {
  await send(`/files/lab/digits/${run}/file_stream`, body);
}

describe('createWandbClient', () => {
  it('reads the default entity', async () => {
    expect(await client.defaultEntity()).toBe('lab');
  });

  it('reads a run, a missing run and a missing project', async () => {
    expect(await client.run({ ...project, runId: 'one' })).toMatchObject({
      state: 'finished',
      group: 'first',
      tags: ['a', 'experiment:first'],
      rows: 4,
      lastStep: 2,
      summary: { loss: 0.5, bad: null },
      url: `${server.url}/lab/digits/runs/one`,
    });
    expect(await client.run({ ...project, runId: 'two' })).toMatchObject({
      state: 'running',
      rows: 0,
      lastStep: null,
    });
    expect(await client.run({ ...project, runId: 'none' })).toBeNull();
    expect(await client.run({ entity: 'lab', project: 'none', runId: 'one' })).toBeNull();
  });

  it('reads history: only rows with the metric, one for each step', async () => {
    const run = await client.run({ ...project, runId: 'one' });
    expect(run?.metricRows).toMatchObject({ loss: 3, other: 1 });
    expect(run && (await client.history(run, 'loss'))).toEqual([
      { step: 0, value: 1 },
      { step: 2, value: 0.5 },
    ]);
    expect(run && (await client.history(run, 'missing'))).toEqual([]);
  });

  it('reads a long history whole, although the server thins what is long', async () => {
    await upsert('long', {});
    const content = Array.from(
      { length: 3_500 },
      (_, index) => `{"_step":${index ** 2},"loss":${index === 7 ? '"Infinity"' : index}}`,
    );
    await stream('long', { files: { 'wandb-history.jsonl': { offset: 0, content } } });
    const run = await client.run({ ...project, runId: 'long' });
    const history = run === null ? [] : await client.history(run, 'loss');
    expect(history.map(({ step }) => step)).toEqual(content.map((_, index) => index ** 2));
    expect(history[7]).toEqual({ step: 49, value: null });
  });

  it.each([
    [{ group: 'first' }, ['one']],
    [{ tags: 'b' }, ['two']],
    [{ tags: { $in: ['a', 'b'] } }, ['two', 'one']],
    [{ $or: [{ group: 'first' }, { tags: 'b' }] }, ['two', 'one']],
    [{ $and: [{ group: 'first' }, { tags: 'b' }] }, [] as string[]],
    [{ name: 'two' }, ['two']],
  ])('finds runs by %j', async (filter, expected) => {
    const runs = await client.runs(project, filter);
    expect(runs.map(({ runId }) => runId).toSorted()).toEqual(expected.toSorted());
  });
});

describe('createWandbClient, when the server misbehaves', () => {
  let odd: Server | undefined;
  afterEach(() => odd?.close());

  async function against(
    status: number,
    body: string,
    headers: Record<string, string> = {},
  ): Promise<WandbClient> {
    odd = createServer((_request, response) => response.writeHead(status, headers).end(body));
    await new Promise<void>((resolve) => odd?.listen(0, '127.0.0.1', resolve));
    const { port } = odd.address() as AddressInfo;
    const baseUrl = `http://127.0.0.1:${port}`;
    return createWandbClient({ baseUrl, apiKey, entity: undefined, project: undefined });
  }

  it.each([
    [401, '{}', {}, 'WandbUnauthorized', undefined],
    [403, '{}', {}, 'WandbUnauthorized', undefined],
    [429, 'slow down', { 'retry-after': '3' }, 'WandbUnavailable', 3_000],
    [429, '{}', { 'ratelimit-reset': '5' }, 'WandbUnavailable', 5_000],
    [502, '<html>bad gateway</html>', {}, 'WandbUnavailable', undefined],
    [302, '', { location: 'http://127.0.0.1:9/login' }, 'WandbUnavailable', undefined],
    [200, '<html>log in</html>', {}, 'WandbUnavailable', undefined],
    [200, '[1]', {}, 'WandbUnavailable', undefined],
    [200, '{"data":{"viewer":5}}', {}, 'WandbUnavailable', undefined],
    [200, '{"data":null,"errors":[{"message":"boom"}]}', {}, 'WandbUnavailable', undefined],
    [
      200,
      '{"data":null,"errors":[{"message":"no","extensions":{"code":"PERMISSION_ERROR"}}]}',
      {},
      'WandbUnauthorized',
      undefined,
    ],
  ])('turns %i %s into a failure with a name', async (status, body, headers, type, retryAfterMs) => {
    const failure: unknown = await (
      await against(status, body, headers)
    )
      .defaultEntity()
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ type, retryAfterMs });
    expect(JSON.stringify(failure) + String(failure)).not.toContain(apiKey);
    expect(JSON.stringify(failure) + String(failure)).not.toContain(
      Buffer.from(`api:${apiKey}`).toString('base64'),
    );
  });

  it('tells a server that is not there', async () => {
    const gone = await against(200, '');
    await new Promise((resolve) => odd?.close(resolve));
    await expect(gone.defaultEntity()).rejects.toMatchObject({ type: 'WandbUnavailable' });
  });

  it('stops at once when it is told to', async () => {
    const signal = AbortSignal.abort(new Error('stop'));
    await expect(client.defaultEntity(signal)).rejects.toThrow('stop');
  });
});
