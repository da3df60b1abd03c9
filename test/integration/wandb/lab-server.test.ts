import { appendFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';

import type { StandIn } from '../../../infra/lab/stand-in.ts';
import { startWandbStandIn } from '../../../infra/lab/wandb/start-wandb-stand-in.ts';

const apiKey = 'canary-key-of-more-than-forty-characters-for-tests';
const authorization = `Basic ${Buffer.from(`api:${apiKey}`).toString('base64')}`;
let directory: string;
let server: StandIn;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hephaestus-test-'));
  server = await startWandbStandIn({ directory, apiKey });
});
afterEach(async () => {
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

function ask(path: string, body: object, method = 'POST'): Promise<Response> {
  const text = JSON.stringify(body);
  return fetch(`${server.url}${path}`, { method, headers: { authorization }, body: text });
}

function upsert(name: string, input: object = {}): Promise<Response> {
  const query =
    'mutation UpsertBucket($input: UpsertBucketInput!) { upsertBucket(input: $input) { bucket { historyLineCount } inserted } }';
  return ask('/graphql', { query, variables: { input: { name, modelName: 'p', ...input } } });
}

function stream(name: string, body: object): Promise<Response> {
  return ask(`/files/lab/p/${name}/file_stream`, body);
}

function rows(offset: number, content: readonly string[]): object {
  return { files: { 'wandb-history.jsonl': { offset, content } } };
}

const Data = z.object({
  data: z.object({ project: z.object({ run: z.record(z.string(), z.unknown()) }) }),
});

/** Fields of the run `r`, as GraphQL gives them. */
async function read(fields: string): Promise<Record<string, unknown>> {
  const query = `query Run { project(name: "p", entityName: "lab") { run(name: "r") { ${fields} } } }`;
  return Data.parse(await (await ask('/graphql', { query })).json()).data.project.run;
}

const fault = (body: object) => ask('/_lab/faults', body);
const settings = (body: object) => ask('/_lab/settings', body, 'PUT');
const row = (step: number) => `{"_step":${step},"loss":${step / 10}}`;
const rowsFrom = (from: number, count: number) => Array.from({ length: count }, (_, i) => row(from + i));

describe('the stand-in of the W&B server: lines', () => {
  it('sets lines by their index, whatever comes twice, out of order or over others', async () => {
    await upsert('r');
    await stream('r', rows(2, [row(2), row(3)]));
    await stream('r', rows(0, [row(0), row(1), '{"_step":2,"loss":NaN}']));
    await stream('r', rows(2, ['{"_step":2,"loss":-Infinity}']));
    expect(await read('historyLineCount history historyKeys')).toEqual({
      historyLineCount: 4,
      history: [row(0), row(1), '{"_step":2,"loss":-Infinity}', row(3)],
      historyKeys: {
        sets: [],
        keys: {
          _step: { typeCounts: [{ type: 'number', count: 4 }], monotonic: true },
          loss: { typeCounts: [{ type: 'number', count: 4 }], monotonic: false },
        },
        lastStep: 3,
      },
    });
  });

  it('lets the console overlap what it sent before', async () => {
    await upsert('r');
    await stream('r', { files: { 'output.log': { offset: 0, content: ['a', 'b', '50 %'] } } });
    await stream('r', { files: { 'output.log': { offset: 2, content: ['100 %', 'd'] } } });
    expect(await read('logLineCount')).toEqual({ logLineCount: 4 });
    const page = await (await fetch(`${server.url}/lab/p/runs/r`)).text();
    expect(page).toContain('a\nb\n100 %\nd');
  });

  it('holds everything after a restart, also what was cut short', async () => {
    await upsert('r');
    await stream('r', { ...rows(0, rowsFrom(0, 3)), complete: true, exitcode: 1 });
    await server.close();
    const [folder = ''] = await readdir(join(directory, 'runs'));
    await appendFile(join(directory, 'runs', folder, 'history.lines'), '3\t{"_step":3,"lo');
    server = await startWandbStandIn({ directory, apiKey });
    expect(await read('historyLineCount state')).toEqual({ historyLineCount: 3, state: 'failed' });
    await stream('r', rows(3, [row(3)]));
    expect(await read('history')).toEqual({ history: rowsFrom(0, 4) });
  });

  it('keeps nothing of a history line that is no JSON object', async () => {
    await upsert('r');
    expect((await stream('r', rows(0, [row(0), '{"_step":']))).status).toBe(400);
    expect(await read('historyLineCount')).toEqual({ historyLineCount: 0 });
  });

  it('keeps what two requests at once bring', async () => {
    await upsert('r');
    const parts = Array.from({ length: 10 }, (_, part) =>
      stream('r', rows(part * 20, rowsFrom(part * 20, 20))),
    );
    await Promise.all(parts);
    expect(await read('history(samples: 1000)')).toEqual({ history: rowsFrom(0, 200) });
  });
});

describe('the stand-in of the W&B server: history', () => {
  beforeEach(async () => {
    await upsert('r');
    await stream('r', rows(0, rowsFrom(0, 1000)));
  });

  it('pages by steps: from the first, to before the last', async () => {
    expect(await read('history(minStep: 10, maxStep: 13, samples: 1000)')).toEqual({
      history: rowsFrom(10, 3),
    });
  });

  it('gives objects for the keys that were asked for, both steps included', async () => {
    const spec = JSON.stringify(JSON.stringify({ keys: ['_step', 'loss'], minStep: 998, maxStep: 999 }));
    expect(await read(`sampledHistory(specs: [${spec}])`)).toEqual({
      sampledHistory: [
        [
          { _step: 998, loss: 99.8 },
          { _step: 999, loss: 99.9 },
        ],
      ],
    });
  });

  it('thins differently each time and without the last row, when it is told to', async () => {
    const one = await read('history(samples: 50)');
    expect(one['history']).toHaveLength(50);
    expect(await read('history(samples: 50)')).toEqual(one);
    await settings({ sampling: { unstable: true, dropLast: true } });
    const other = await read('history(samples: 50)');
    expect(await read('history(samples: 50)')).not.toEqual(other);
    expect(other['history']).not.toContain(row(999));
  });

  it('tells counts late, and the rows at once', async () => {
    await settings({ lateCountSeconds: 0.5 });
    await stream('r', rows(1000, [row(1000)]));
    expect(await read('historyLineCount')).not.toEqual({ historyLineCount: 1001 });
    expect(await read('history(minStep: 1000)')).toEqual({ history: [row(1000)] });
    await vi.waitFor(
      async () => {
        const { historyLineCount, historyKeys } = await read('historyLineCount historyKeys');
        expect({ historyLineCount, historyKeys }).toMatchObject({
          historyLineCount: 1001,
          historyKeys: { lastStep: 1000 },
        });
      },
      { timeout: 5_000, interval: 50 },
    );
  });
});

describe('the stand-in of the W&B server: state', () => {
  it.each([
    [{ complete: true, exitcode: 0 }, 'finished'],
    [{ complete: true, exitcode: 3 }, 'failed'],
    [{ preempting: true }, 'preempting'],
    [{}, 'running'],
  ])('after %j is %s', async (body, state) => {
    await upsert('r');
    await stream('r', body);
    expect(await read('state')).toEqual({ state });
  });

  it('crashes without heartbeats, lives again with one, and runs again with new rows', async () => {
    await upsert('r');
    await settings({ crashedAfterSeconds: 0.1 });
    await vi.waitFor(async () => expect(await read('state')).toEqual({ state: 'crashed' }), {
      interval: 30,
    });
    await settings({ crashedAfterSeconds: 100 });
    await stream('r', {});
    expect(await read('state')).toEqual({ state: 'running' });
    await stream('r', { complete: true });
    await stream('r', rows(0, [row(0)]));
    expect(await read('state')).toEqual({ state: 'running' });
  });
});

describe('the stand-in of the W&B server: refusals', () => {
  it('knows its key, its entity, deleted runs, and projects that may only be read', async () => {
    const wrong = await fetch(`${server.url}/graphql`, { method: 'POST', body: '{}' });
    expect(wrong.status).toBe(401);
    expect((await upsert('r', { entityName: 'nobody' })).status).toBe(404);
    await upsert('r');
    await settings({ readOnlyProjects: ['p'] });
    expect((await upsert('r2')).status).toBe(403);
    expect((await stream('r', {})).status).toBe(403);
    await settings({ readOnlyProjects: [] });
    await fault({ kind: 'delete-run', entity: 'lab', project: 'p', runId: 'r' });
    expect((await upsert('r')).status).toBe(409);
    expect((await stream('r', {})).status).toBe(404);
  });

  it('takes so many requests a second of one run, and tells when there is room again', async () => {
    await upsert('r');
    await upsert('other');
    await settings({ requestsPerSecondPerRun: 2 });
    const answers = await Promise.all(Array.from({ length: 6 }, () => stream('r', {})));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(3);
    expect(refused[0]?.headers.get('retry-after')).toBe('1');
    expect(refused[0]?.headers.get('ratelimit-remaining')).toMatch(/^\d+$/);
    expect(Number(refused[0]?.headers.get('ratelimit-reset'))).toBeGreaterThan(0);
    expect((await stream('other', {})).status).toBe(200);
    await vi.waitFor(async () => expect((await stream('r', {})).status).toBe(200), { timeout: 5_000 });
  });

  it('makes faults by count, by operation, by address and by chance', async () => {
    await upsert('r');
    await upsert('other');
    await fault({ kind: 'graphql-error', operation: 'Run', message: 'no', code: 'PERMISSION_ERROR' });
    const query = 'query Run { viewer { entity } }';
    expect(await (await ask('/graphql', { query })).json()).toEqual({
      data: null,
      errors: [{ message: 'no', extensions: { code: 'PERMISSION_ERROR' } }],
    });
    await fault({ kind: 'status', on: 'any', path: '/r/', status: 410, times: 2 });
    expect((await stream('other', {})).status).toBe(200);
    expect((await stream('r', {})).status).toBe(410);
    await ask('/_lab/faults', {}, 'DELETE');
    await fault({ kind: 'status', on: 'file_stream', status: 503, rate: 0.5, seed: 4 });
    const statuses: number[] = [];
    for (let count = 0; count < 20; count += 1) statuses.push((await stream('r', {})).status);
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    await ask('/_lab/faults', {}, 'DELETE');
    await fault({ kind: 'status', on: 'file_stream', status: 503, rate: 0.5, seed: 4 });
    const again: number[] = [];
    for (let count = 0; count < 20; count += 1) again.push((await stream('r', {})).status);
    expect(again).toEqual(statuses);
  });

  it('loses answers after the work, sends half of them, and is slow', async () => {
    await upsert('r');
    await fault({ kind: 'drop', on: 'file_stream', afterwards: true });
    await expect(stream('r', rows(0, [row(0)]))).rejects.toThrow();
    await vi.waitFor(async () => expect(await read('historyLineCount')).toEqual({ historyLineCount: 1 }));
    await fault({ kind: 'half', on: 'graphql' });
    const half = await (await ask('/graphql', { query: '{ viewer { entity } }' })).text();
    expect(() => JSON.parse(half) as unknown).toThrow(SyntaxError);
    await fault({ kind: 'delay', on: 'file_stream', delayMs: 200, afterwards: true });
    const started = performance.now();
    const slow = stream('r', rows(1, [row(1)]));
    await vi.waitFor(async () => expect(await read('historyLineCount')).toEqual({ historyLineCount: 2 }));
    await slow;
    expect(performance.now() - started).toBeGreaterThan(190);
  });

  it('says what it was asked, and refuses wishes that it does not know', async () => {
    await upsert('r');
    await stream('r', rows(0, [row(0)]));
    expect(await (await fetch(`${server.url}/_lab/stats`)).json()).toMatchObject({
      places: { graphql: { requests: 1 }, file_stream: { requests: 1 } },
      operations: { UpsertBucket: 1 },
      historyLines: 1,
    });
    expect((await fault({ kind: 'nonsense' })).status).toBe(400);
    expect((await settings({ crashedAfter: 1 })).status).toBe(400);
  });
});

describe('the page of a run', () => {
  it('draws its curves, and renews itself only while the run lives', async () => {
    await upsert('r');
    await stream('r', rows(0, rowsFrom(0, 20)));
    const live = await (await fetch(`${server.url}/lab/p/runs/r`)).text();
    expect(live).toContain('<svg');
    expect(live).toContain('20 rows');
    expect(live).toContain('<script>');
    await stream('r', { complete: true });
    expect(await (await fetch(`${server.url}/lab/p/runs/r`)).text()).not.toContain('<script>');
  });
});
