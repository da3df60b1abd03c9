import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { createBody, openRawLab, v2Headers, type Heard, type RawLab } from './lab-http.ts';

let lab: RawLab;
const behaviour = { v2: { enabled: true, list: true } };

beforeAll(async () => {
  lab = await openRawLab({ behaviour });
});
afterEach(async () => {
  await lab.lab('DELETE', 'faults');
  await lab.lab('DELETE', 'settings');
});
afterAll(async () => {
  await lab.remove();
});

function errorCode({ json }: Heard): unknown {
  return (json?.['ResponseMetadata'] as { Error?: { Code: string } } | undefined)?.Error?.Code;
}

function result({ json }: Heard): Record<string, unknown> {
  return json?.['Result'] as Record<string, unknown>;
}

function eventsOf(...ids: string[]) {
  return { filter: { object_type: 'job', object_ids: ids }, page_size: 50 };
}

describe('the v2 surface', () => {
  it('is not there unless it was asked for, and has no list unless that was', async () => {
    await lab.set({ v2: { enabled: false } });
    expect(await lab.v2('GetJob', {})).toMatchObject({ status: 404, text: '404 page not found' });
    await lab.set({ v2: { enabled: true, list: false } });
    expect(errorCode(await lab.v2('ListJobs', {}))).toBe('InvalidAction');
    expect((await lab.ask('POST', '/openapi/v1/train_job/list', {})).status).toBe(404);
  });

  it('creates, tells, stops and deletes a job in its own envelope', async () => {
    const created = await lab.v2('CreateJob', createBody('sleep 60'));
    const { job_id: id } = result(created);
    expect(id).toMatch(/^job-[0-9a-f-]{36}$/);
    expect(result(await lab.v2('GetJob', { JobId: id }))).toMatchObject({ job_id: id, name: 'sft-demo' });
    await lab.reached(String(id), 'job_running');
    expect(errorCode(await lab.v2('DeleteJob', { job_id: id }))).toBe('Conflict');
    expect(result(await lab.v2('StopJob', { job_id: id }))).toEqual({});
    await lab.reached(String(id), 'job_stopped');
    expect(result(await lab.v2('DeleteJob', { job_id: id }))).toEqual({});
    expect(errorCode(await lab.v2('GetJob', { job_id: id }))).toBe('AccessForbidden');
  });

  it('is as strict about fields, and takes those that only it has', async () => {
    expect(errorCode(await lab.v2('CreateJob', createBody('true', { gpu_count: 8 })))).toBe(
      'InvalidParameter',
    );
    expect(errorCode(await lab.v2('GetJob', { job_id: 'job-x', page_num: 1 }))).toBe('InvalidParameter');
    const { task_priority: _priority, ...rest } = createBody('true', { description: 'of v2 alone' });
    expect(result(await lab.v2('CreateJob', rest))).toMatchObject({ status: 'job_creating' });
    expect((await lab.openapi('create', createBody('true', { description: 'x' }))).json).toMatchObject({
      code: 100_002,
    });
  });

  it.each([
    ['token', async () => ({ authorization: `Bearer ${await lab.token()}` })],
    ['cookie', async () => ({ cookie: 'inspire-session=lab-session' })],
    ['keycloak', async () => ({ authorization: 'Bearer lab-keycloak-token' })],
  ] as const)('is opened by the credential: %s, where it is configured', async (kind, headersOf) => {
    const headers = await headersOf();
    const source = { 'x-inspire-client-source': 'test' };
    await lab.set({ v2: { credentials: [kind] } });
    expect(errorCode(await lab.v2('GetJob', { job_id: 'job-x' }, { ...headers, ...source }))).toBe(
      'AccessForbidden',
    );
    const unnamed = await lab.v2('GetJob', { job_id: 'job-x' }, headers);
    expect([unnamed.status, unnamed.headers.get('location')]).toEqual([302, expect.any(String)]);
    await lab.set({ v2: { clientSource: false } });
    expect((await lab.v2('GetJob', { job_id: 'job-x' }, headers)).status).toBe(200);
    const others = (['token', 'cookie', 'keycloak'] as const).filter((each) => each !== kind);
    await lab.set({ v2: { credentials: others }, token: { expired: '401' } });
    expect((await lab.v2('GetJob', { job_id: 'job-x' }, headers)).status).toBe(401);
  });

  it('pages its list by PageNumber and page_size, and drops unknown ids', async () => {
    await lab.set({ dry: {} });
    const ids: string[] = [];
    for (const name of ['page-1', 'page-2', 'page-3']) ids.push(await lab.create('true', { name }));
    const first = result(await lab.v2('ListJobs', { keyword: 'page-', PageNumber: 1, page_size: 2 }));
    const second = result(await lab.v2('ListJobs', { keyword: 'page-', PageNumber: 2, page_size: 2 }));
    const names = [first, second].flatMap(({ jobs }) => (jobs as { name: string }[]).map(({ name }) => name));
    expect(names.toSorted()).toEqual(['page-1', 'page-2', 'page-3']);
    expect(first['total']).toBe('3');
    const [id = ''] = ids;
    expect(result(await lab.v2('ListJobs', { job_ids: [id, 'job-unknown'] }))['total']).toBe('1');
    expect(errorCode(await lab.v2('ListJobs', { page_size: 101 }))).toBe('InvalidParameter');
    expect(errorCode(await lab.v2('ListJobs', { job_ids: Array.from({ length: 21 }, String) }))).toBe(
      'InvalidParameter',
    );
    expect(errorCode(await lab.v2('ListJobs', { page: 1 }))).toBe('InvalidParameter');
    await lab.set({ v2: { totalAs: 'number' } });
    expect(result(await lab.v2('ListJobs', { keyword: 'page-' }))['total']).toBe(3);
  });

  it('lists no events when one of the jobs is unknown', async () => {
    const id = await lab.create('true');
    expect(result(await lab.v2('ListJobEvents', eventsOf(id)))).toMatchObject({ events: expect.any(Array) });
    expect(errorCode(await lab.v2('ListJobEvents', eventsOf(id, 'job-unknown')))).toBe('AccessForbidden');
  });

  it('meets the faults in its own envelope', async () => {
    const reject = { kind: 'reject', on: 'detail', errorCode: 'Throttling', message: 'slow down' };
    await lab.lab('POST', 'faults', reject);
    const refused = await lab.v2('GetJob', { job_id: 'job-x' });
    expect([refused.status, errorCode(refused)]).toEqual([200, 'Throttling']);
    await lab.lab('POST', 'faults', { kind: 'commit-then-500', on: 'create' });
    const before = (await lab.lab('GET', 'stats')).json?.['jobs'];
    const lost = await lab.v2('CreateJob', createBody('true'));
    expect([lost.status, errorCode(lost)]).toEqual([500, 'InternalError']);
    expect((await lab.lab('GET', 'stats')).json?.['jobs']).toBe(Number(before) + 1);
    await lab.lab('POST', 'faults', { kind: 'token-expired', on: 'list', mode: '302' });
    expect((await lab.v2('ListJobs', {})).status).toBe(302);
    await lab.lab('POST', 'faults', { kind: 'drop', on: 'events' });
    await expect(lab.v2('ListJobEvents', {})).rejects.toThrow();
    await lab.lab('POST', 'faults', { kind: 'commit-without-job-id', on: 'create' });
    expect(result(await lab.v2('CreateJob', createBody('true')))).not.toHaveProperty('job_id');
  });

  it('gives every answer an id', async () => {
    const answer = await lab.v2('GetJob', { job_id: 'job-x' }, v2Headers);
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});
