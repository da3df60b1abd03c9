import { createServer, type AddressInfo } from 'node:net';

import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { createQizhiActivities } from '../../../activities/qizhi/create-qizhi-activities.ts';
import type { QizhiActivities } from '../../../activities/qizhi/interface.ts';
import { processesOf } from '../../../infra/lab/qizhi/workers.ts';
import { exampleNote } from '../../support/example-note.ts';
import { createdJob, openLab, reached, type Lab } from './lab.ts';

const labs: Lab[] = [];
// Failing is how these activities wait.
const temporal = new MockActivityEnvironment(
  { scheduledTimestampMs: Date.now() - 120_000 },
  { logger: new DefaultLogger('ERROR') },
);
const run = async <T>(work: () => Promise<T>): Promise<T> => temporal.run<[], T, () => Promise<T>>(work);

async function open(...options: Parameters<typeof openLab>): Promise<Lab> {
  const lab = await openLab(...options);
  labs.push(lab);
  return lab;
}

afterEach(async () => {
  await Promise.all(labs.splice(0).map(async (lab) => lab.remove()));
});

describe('jobs of the stand-in', () => {
  it('run the command and end as it ends', async () => {
    const client = (await open()).client();
    const [good, bad] = await Promise.all([createdJob(client, 'exit 0'), createdJob(client, 'exit 3')]);
    expect(await reached(client, good, 'succeeded', 'failed')).toMatchObject({
      rawStatus: 'job_succeeded',
      gpuCount: 1,
    });
    expect(await reached(client, bad, 'succeeded', 'failed')).toMatchObject({ rawStatus: 'job_failed' });
  });

  it('go through creating and queuing first', async () => {
    const client = (await open({ creatingMs: 300, queuingMs: 300 })).client();
    const id = await createdJob(client, 'true');
    const seen = new Set<string>();
    await vi.waitFor(
      async () => {
        seen.add((await client.getJob(id)).rawStatus);
        expect(seen).toContain('job_succeeded');
      },
      { timeout: 10_000, interval: 20 },
    );
    expect([...seen].filter((status) => status !== 'job_running')).toEqual([
      'job_creating',
      'job_queuing',
      'job_succeeded',
    ]);
  });

  it('queue while no GPU is free, and say why', async () => {
    const { spec_id: spec } = exampleNote().job;
    const lab = await open({ gpus: 8, specs: { [spec]: 8 } });
    const client = lab.client();
    const first = await createdJob(client, 'sleep 30');
    expect(await reached(client, first, 'running')).toMatchObject({ gpuCount: 8 });
    const second = await createdJob(client, 'true');
    await vi.waitFor(async () => expect((await client.getJob(second)).reason).toMatch(/Insufficient/), 5000);
    await client.stopJob(first);
    await reached(client, first, 'stopped');
    await reached(client, second, 'succeeded');
  });

  it('see an empty environment and no network, and know their id', async () => {
    const lab = await open();
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    const connect = `import socket\ntry:\n  socket.create_connection(("127.0.0.1", ${port}), 3); print("connected")\nexcept OSError: print("refused")`;
    const client = lab.client();
    const id = await createdJob(
      client,
      `env; echo "host $(uname -n) $HEPHAESTUS_JOB_ID"; python3 -c '${connect}'`,
    );
    await reached(client, id, 'succeeded');
    const output = await lab.output(id);
    expect(output).toContain(id);
    expect(output).not.toMatch(/QIZHI|WANDB|GITHUB|VITEST|canary/);
    if (lab.standIn.isolation === 'namespaces') expect(output).toContain(`host ${id}-worker-0`);
    if (lab.standIn.isolation !== 'none') expect(output).toContain('refused');
    server.close();
  });

  it('are told to end, and killed when they do not, with all that they started', async () => {
    const lab = await open({ graceMs: 500 });
    const client = lab.client();
    const gentle = await createdJob(
      client,
      "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done",
    );
    const stubborn = await createdJob(
      client,
      "trap '' TERM; (setsid sleep 60 &); echo ready; while :; do sleep 0.05; done",
    );
    await vi.waitFor(async () => {
      expect(await lab.output(gentle)).toContain('ready');
      expect(await lab.output(stubborn)).toContain('ready');
    }, 10_000);
    await Promise.all([client.stopJob(gentle), client.stopJob(stubborn)]);
    expect((await client.getJob(stubborn)).rawStatus).toBe('job_stopping');
    await Promise.all([reached(client, gentle, 'stopped'), reached(client, stubborn, 'stopped')]);
    expect(await lab.output(gentle)).toContain('bye');
    expect(await processesOf(stubborn)).toEqual([]);
  });

  it('run on several nodes and fail when one fails', async () => {
    const lab = await open();
    const client = lab.client();
    const command = '[ "$PET_NODE_RANK" = 0 ] && sleep 60; exit 4';
    const note = exampleNote().job;
    const activities = createQizhiActivities({ qizhi: client, requestsPerSecond: 1000 });
    const created = await run(async () =>
      activities.createJob({
        experimentId: 'x-y',
        attempt: 1,
        seed: 0,
        job: { ...note, instance_count: 2 },
        command,
      }),
    );
    const jobId = created.status === 'created' ? created.jobId : '';
    await reached(client, jobId, 'failed');
    expect(await processesOf(jobId)).toEqual([]);
  });

  it('go on while the stand-in is away, and are found again', async () => {
    const lab = await openLab();
    const client = lab.client();
    const [long, short] = await Promise.all([
      createdJob(client, 'sleep 60'),
      createdJob(client, 'sleep 1; exit 5'),
    ]);
    await Promise.all([reached(client, long, 'running'), reached(client, short, 'running')]);
    await lab.standIn.close({ keepJobs: true });
    await vi.waitFor(async () => expect(await processesOf(short)).toEqual([]), 10_000);
    expect(await processesOf(long)).not.toEqual([]);

    const again = await open({ directory: lab.directory });
    expect(await again.client().getJob(long)).toMatchObject({ state: 'running' });
    expect(await reached(again.client(), short, 'failed', 'succeeded')).toMatchObject({
      rawStatus: 'job_failed',
    });
    await again.standIn.close();
    expect(await processesOf(long)).toEqual([]);
  });

  it('are shown on a page', async () => {
    const lab = await open();
    const id = await createdJob(lab.client(), 'echo "<b>&"');
    const page = await (await fetch(lab.standIn.url)).text();
    expect(page).toContain(id);
    expect(page).toContain('&lt;b&gt;&amp;');
  });
});

function activitiesOf(lab: Lab, createPatienceMs?: number): QizhiActivities {
  return createQizhiActivities({
    qizhi: lab.client(),
    requestsPerSecond: 1000,
    ...(createPatienceMs !== undefined && { createPatienceMs }),
  });
}

describe('activities of the queue qizhi', () => {
  const input = { experimentId: 'warmup-cosine', attempt: 1, seed: 0, job: exampleNote().job };

  it('offers a job again only while it was provably not taken', async () => {
    const lab = await open();
    const activities = activitiesOf(lab);
    await lab.fault({ kind: 'too-many', on: 'create', retryAfterSeconds: 0, times: 2 });
    await lab.fault({ kind: 'bad-gateway', on: 'token' });
    const outcome = await run(async () => activities.createJob({ ...input, command: 'true' }));
    expect(outcome.status).toBe('created');
    expect(await lab.stats()).toMatchObject({ create: 3, jobs: 1 });

    await lab.fault({ kind: 'commit-then-drop', on: 'create' });
    expect((await run(async () => activities.createJob({ ...input, command: 'true' }))).status).toBe(
      'unknown',
    );
    expect(await lab.stats()).toMatchObject({ create: 4, jobs: 2 });
  });

  it('gives up in time when the platform keeps turning it away', async () => {
    const lab = await open();
    const activities = activitiesOf(lab, 0);
    await lab.fault({ kind: 'too-many', on: 'create', times: 9 });
    await expect(run(async () => activities.createJob({ ...input, command: 'true' }))).rejects.toMatchObject({
      type: 'QizhiRateLimited',
      nonRetryable: false,
    });
  });

  it('answers a change at once, and fails benignly while there is none', async () => {
    const lab = await open();
    const client = lab.client();
    const activities = createQizhiActivities({ qizhi: client, requestsPerSecond: 1000 });
    const jobId = await createdJob(client, 'sleep 60');
    await reached(client, jobId, 'running');
    const first = await run(async () => activities.awaitJobChange({ jobId, since: null, pollSeconds: 20 }));
    expect(first.observation.state).toBe('running');
    const failure = await run(async () =>
      activities.awaitJobChange({ jobId, since: first.fingerprint, pollSeconds: 20 }),
    ).catch((error: unknown) => error);
    expect(failure).toMatchObject({ type: 'JobUnchanged', category: 'BENIGN', nonRetryable: false });
    const delay = (failure as { nextRetryDelay: number }).nextRetryDelay;
    expect(delay).toBeGreaterThanOrEqual(18_000);
    expect(delay).toBeLessThanOrEqual(22_000);
    await lab.show(jobId, { status: 'job_running', reason: '', round: 2 });
    const next = await run(async () =>
      activities.awaitJobChange({ jobId, since: first.fingerprint, pollSeconds: 20 }),
    );
    expect(next.observation.round).toBe(2);
  });

  it('stops a job through a conflict, and returns when it has ended', async () => {
    const lab = await open({ conflictMs: 600 });
    const client = lab.client();
    const activities = createQizhiActivities({ qizhi: client, requestsPerSecond: 1000 });
    const jobId = await createdJob(client, 'sleep 60');
    const types = new Set<unknown>();
    const observation = await vi.waitFor(
      async () => {
        try {
          return await run(async () => activities.stopJob({ jobId }));
        } catch (error) {
          types.add((error as { type: unknown }).type);
          throw error;
        }
      },
      { timeout: 10_000, interval: 50 },
    );
    expect(observation.state).toBe('stopped');
    expect(types).toEqual(new Set(['QizhiConflict', 'JobUnchanged']));
    const before = await lab.stats();
    expect((await run(async () => activities.stopJob({ jobId }))).state).toBe('stopped');
    expect((await lab.stats()).stop).toBe(before.stop);
  });
});
