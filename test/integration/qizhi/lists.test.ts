import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { createQizhiActivities } from '../../../activities/qizhi/create-qizhi-activities.ts';
import { exampleNote } from '../../support/example-note.ts';
import { openWatch } from '../../support/watch-job.ts';
import { body, createdJob, openLab, reached, type Lab } from './lab.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await openLab({ behaviour: { v2: { enabled: true, list: true, credentials: ['token'] } } });
});
afterEach(async () => {
  await fetch(`${lab.standIn.url}/_lab/faults`, { method: 'DELETE' });
});
afterAll(async () => {
  await lab.remove();
});

const unknownJob = 'job-00000000-0000-4000-8000-000000000000';

describe('lists and events', () => {
  const name = 'hephaestus-list-me-a1-s1';
  const workspaceId = body('true').workspace_id;

  it('are not to be had on openapi', async () => {
    expect(await lab.client().findJob({ name, workspaceId })).toEqual({ status: 'no-list' });
    expect(await lab.client().explainJob(unknownJob)).toBeNull();
  });

  it('show the newest job of exactly that name', async () => {
    const client = lab.client({ api: 'v2' });
    await createdJob(client, 'true', { name: `${name}0` });
    expect(await client.findJob({ name, workspaceId })).toEqual({ status: 'absent' });
    await createdJob(client, 'true', { name });
    const newest = await createdJob(client, 'true', { name });
    expect(await client.findJob({ name, workspaceId })).toEqual({ status: 'found', jobId: newest });
    expect(await client.findJob({ name, workspaceId: 'ws-other' })).toEqual({ status: 'absent' });
  });

  it('are turned over page by page', async () => {
    const client = lab.client({ api: 'v2' });
    await lab.set({ dry: {} });
    const wanted = await createdJob(client, 'true', { name: 'hephaestus-pages-a1-s1' });
    // Newer ones whose names hold the wanted one, more than a page of them.
    for (let number = 0; number < 101; number += 1) {
      await createdJob(client, 'true', { name: `hephaestus-pages-a1-s1${number}` });
    }
    await lab.set({ dry: null });
    const before = await lab.stats();
    const found = await client.findJob({ name: 'hephaestus-pages-a1-s1', workspaceId });
    expect(found).toEqual({ status: 'found', jobId: wanted });
    expect((await lab.stats()).list - before.list).toBe(2);
  });

  it('are done without where the platform does not have them, and not where it is only away', async () => {
    const client = lab.client({ api: 'v2' });
    await lab.set({ v2: { list: false } });
    expect(await client.findJob({ name, workspaceId })).toEqual({ status: 'no-list' });
    await lab.set({ v2: { list: true } });
    await lab.fault({ kind: 'bad-gateway', on: 'list' });
    await expect(client.findJob({ name, workspaceId })).rejects.toMatchObject({ type: 'QizhiUnavailable' });
    expect(await client.explainJob(unknownJob)).toBeNull();
    await lab.fault({ kind: 'half-json', on: 'events' });
    const id = await createdJob(client, 'true');
    await expect(client.explainJob(id)).rejects.toMatchObject({ type: 'QizhiUnavailable' });
  });

  it('say in the words of the newest event why a job waits', async () => {
    const client = lab.client({ api: 'v2' });
    await lab.set({ cluster: { gpus: 0 } });
    const id = await createdJob(client, 'true');
    await vi.waitFor(async () => {
      expect(await client.explainJob(id)).toMatchObject({
        reason: expect.stringMatching(/^FailedScheduling: .*nodes are unavailable/),
        evicted: false,
      });
    }, 5000);
    await client.stopJob(id);
    await lab.set({ cluster: { gpus: 8 } });
  });

  it('say of a failed job that the platform took it off its nodes', async () => {
    const client = lab.client({ api: 'v2' });
    const id = await createdJob(client, 'sleep 60');
    await reached(client, id, 'running');
    await lab.script(id, [{ act: 'evict' }]);
    expect(await reached(client, id, 'failed')).toMatchObject({ evicted: false });
    expect(await client.explainJob(id)).toMatchObject({ evicted: true });
  });

  it('are read by the activity where a job ended badly', async () => {
    const activities = createQizhiActivities({ qizhi: lab.client({ api: 'v2' }), requestsPerSecond: 1000 });
    const id = await createdJob(lab.client(), 'sleep 60');
    await reached(lab.client(), id, 'running');
    await lab.script(id, [{ act: 'evict' }]);
    await reached(lab.client(), id, 'failed');
    const look = await openWatch(activities).look({ jobId: id, since: null, pollSeconds: 1 });
    expect(look).toMatchObject({ seen: { observation: { state: 'failed', evicted: true } } });
  });

  it('let a submission be found whose answer was lost', async () => {
    const activities = createQizhiActivities({ qizhi: lab.client({ api: 'v2' }), requestsPerSecond: 1000 });
    const temporal = new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
    const { job } = exampleNote();
    const key = { experimentId: 'lost-answer', attempt: 2, seed: 1 };
    const find = (pollSeconds: number | null) =>
      temporal.run(async () =>
        activities.findSubmittedJob({ ...key, workspaceId: job.workspace_id, pollSeconds }),
      );
    expect(await find(null)).toEqual({ status: 'absent' });
    await expect(find(20)).rejects.toMatchObject({ type: 'JobUnchanged', nextRetryDelay: 20_000 });
    await lab.fault({ kind: 'commit-then-drop', on: 'create' });
    const outcome = await temporal.run(async () => activities.createJob({ ...key, job, command: 'true' }));
    expect(outcome).toMatchObject({ status: 'unknown' });
    expect(await find(20)).toEqual({ status: 'found', jobId: expect.stringMatching(/^job-/) });
    const blind = createQizhiActivities({ qizhi: lab.client(), requestsPerSecond: 1000 });
    const input = { ...key, workspaceId: job.workspace_id, pollSeconds: 20 };
    expect(await temporal.run(async () => blind.findSubmittedJob(input))).toEqual({ status: 'no-list' });
  });
});
