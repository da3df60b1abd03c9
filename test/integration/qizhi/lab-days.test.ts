import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, describe, expect, it, vi } from 'vitest';

import { processesOf } from '../../../infra/lab/qizhi/workers.ts';
import { openRawLab, type RawLab, type Told } from './lab-http.ts';

const labs: RawLab[] = [];

async function open(...options: Parameters<typeof openRawLab>): Promise<RawLab> {
  const lab = await openRawLab(...options);
  labs.push(lab);
  return lab;
}

afterEach(async () => {
  await Promise.all(labs.splice(0).map(async (lab) => lab.remove()));
});

function reasons({ events }: Told): readonly string[] {
  return events.map(({ reason }) => reason);
}

/** Says that it began, and how it was told to end. */
const polite = "echo began; trap 'echo told; exit 143' TERM; while :; do sleep 0.05; done";

async function running(lab: RawLab, times: number): Promise<string> {
  const id = await lab.create(polite);
  await began(lab, id, times);
  return id;
}

async function began(lab: RawLab, id: string, times: number): Promise<void> {
  await vi.waitFor(async () => expect((await lab.output(id)).match(/began/g)).toHaveLength(times), {
    timeout: 10_000,
    interval: 50,
  });
}

describe('what really happens to a job by its script', () => {
  it('a preempted job is told to end, queues, and runs again in the same round', async () => {
    const lab = await open();
    const id = await running(lab, 1);
    await lab.set({ times: { queuingMs: 300 } });
    await lab.lab('PUT', 'jobs/latest/script', [{ act: 'preempt' }]);
    await lab.reached(id, 'job_queuing');
    expect(await processesOf(id)).toEqual([]);
    expect(await lab.detail(id)).toMatchObject({ node_infos: [], timeline: { created: expect.any(String) } });
    expect((await lab.detail(id))['timeline']).not.toHaveProperty('run');
    await began(lab, id, 2);
    expect(await lab.output(id)).toContain('told');
    const job = await lab.reached(id, 'job_running');
    expect(job).toMatchObject({ round: 1, starts: 2 });
    expect(reasons(job)).toEqual(expect.arrayContaining(['Preempted', 'Evict']));
    expect((await lab.lab('GET', 'stats')).json).toMatchObject({ trainings: { [id]: 2 } });
  });

  it('one that does not end by itself is killed, and an evicted one fails', async () => {
    const lab = await open({ graceMs: 300 });
    const id = await lab.create("trap '' TERM; echo began; while :; do sleep 0.05; done");
    await began(lab, id, 1);
    await lab.lab('PUT', `jobs/${id}/script`, [{ act: 'evict' }]);
    expect(await lab.reached(id, 'job_failed')).toMatchObject({ starts: 1 });
    expect(await processesOf(id)).toEqual([]);
  });

  it('a restart runs the command again under the same id, with the next round', async () => {
    const lab = await open();
    const id = await running(lab, 1);
    await lab.set({ times: { restartingMs: 400 } });
    await lab.lab('PUT', `jobs/${id}/script`, [{ act: 'restart' }]);
    await lab.reached(id, 'job_restarting');
    await began(lab, id, 2);
    expect(await lab.job(id)).toMatchObject({ status: 'job_running', round: 2, starts: 2 });
    expect(await lab.detail(id)).toMatchObject({ current_running_round: 2 });
  });

  it('a lost node takes its processes along without a word', async () => {
    const lab = await open();
    const id = await running(lab, 1);
    await lab.lab('PUT', `jobs/${id}/script`, [{ act: 'node-loss' }]);
    expect(await lab.reached(id, 'job_failed')).toMatchObject({ starts: 1 });
    expect(await processesOf(id)).toEqual([]);
    expect(await lab.output(id)).not.toContain('told');
  });

  it('fault tolerance that was asked for starts a failed job again, as often as it may', async () => {
    const lab = await open({ behaviour: { times: { restartingMs: 0 } } });
    const changes = { auto_fault_tolerance: true, fault_tolerance_max_retry: 2 };
    const id = await lab.create('echo began; exit 1', changes);
    expect(await lab.reached(id, 'job_failed')).toMatchObject({ round: 3, starts: 3 });
    expect((await lab.output(id)).match(/began/g)).toHaveLength(3);
  });

  it.each(['job_stopped', 'job_failed'] as const)('the time limit ends a job as %s', async (status) => {
    const lab = await open({ behaviour: { cluster: { timeLimitEnds: status } } });
    const id = await lab.create(polite, { max_running_time_ms: '300' });
    expect(await lab.reached(id, 'job_stopped', 'job_failed')).toMatchObject({ status });
    expect((await lab.detail(id))['sub_msg']).toContain('max_running_time_ms');
  });

  it('keeps the GPUs of an ended job for as long as was asked', async () => {
    const lab = await open({ gpus: 1 });
    const id = await lab.create('exit 3', { reserve_on_fail_ms: '700' });
    await lab.reached(id, 'job_fail_reserving');
    const second = await lab.create('true');
    await vi.waitFor(async () => expect((await lab.job(second)).reason).toContain('Insufficient'), 5000);
    expect(reasons(await lab.job(second))).toContain('FailedScheduling');
    await lab.reached(id, 'job_failed');
    await lab.reached(second, 'job_succeeded');
  });

  it.each([
    ['queue-out', 'job_queue_out'],
    ['create-failed', 'job_create_failed'],
    ['pre-check-failed', 'job_pre_check_failed'],
  ])('%s ends a job before it has begun', async (act, status) => {
    const lab = await open({ queuingMs: 60_000 });
    const id = await lab.create('true');
    await lab.lab('PUT', `jobs/${id}/script`, [{ act }]);
    expect(await lab.reached(id, status)).toMatchObject({ starts: 0 });
    expect(await lab.detail(id)).toMatchObject({ finished_at: expect.stringMatching(/^\d+$/) });
  });

  it('holds the next job of a name in the queue, and puts one that queues too long out of it', async () => {
    const lab = await open();
    const steps = [{ until: 'job_queuing' }, { act: 'hold', forMs: 60_000 }];
    await lab.lab('POST', 'scripts', { name: 'slow', steps });
    const other = await lab.create('true');
    const held = await lab.create('true', { name: 'a-slow-one' });
    await lab.reached(other, 'job_succeeded');
    await lab.reached(held, 'job_queuing');
    expect(await lab.detail(held)).toMatchObject({
      sub_msg: '0/680 nodes are unavailable: Insufficient cpu.',
    });
    expect((await lab.lab('GET', 'scripts')).json).toEqual([]);
    await lab.set({ times: { queueOutMs: 1 } });
    await lab.reached(held, 'job_queue_out');
  });

  it('goes on with a script when the stand-in itself was started anew', async () => {
    const lab = await openRawLab();
    const id = await running(lab, 1);
    await lab.lab('PUT', `jobs/${id}/script`, [{ forMs: 600 }, { act: 'restart' }]);
    await lab.standIn.close({ keepJobs: true });
    const again = await open({ directory: lab.directory });
    await began(again, id, 2);
    expect(await again.job(id)).toMatchObject({ round: 2, starts: 2 });
  });
});

describe('what is told of a job by its script', () => {
  it('changes step by step, in any words, and ends in the truth', async () => {
    const lab = await open();
    const id = await running(lab, 1);
    await lab.lab('PUT', `jobs/${id}/script`, [
      { status: 'QUEUING', reason: 'bare words', forMs: 250 },
      { status: 'job_dreaming', round: 7, forMs: 250 },
    ]);
    const seen = new Map<unknown, Record<string, unknown>>();
    await vi.waitFor(
      async () => {
        const detail = await lab.detail(id);
        seen.set(detail['status'], detail);
        expect([...seen.keys()].at(-1)).toBe('job_running');
        expect(seen.size).toBe(3);
      },
      { timeout: 10_000, interval: 30 },
    );
    expect([...seen.keys()]).toEqual(['QUEUING', 'job_dreaming', 'job_running']);
    expect(seen.get('QUEUING')).toMatchObject({ sub_msg: 'bare words', current_running_round: 1 });
    expect(seen.get('job_dreaming')).toMatchObject({ current_running_round: 7 });
    expect(await lab.job(id)).toMatchObject({ starts: 1 });
  });

  it('is refused with the reason when it is no script', async () => {
    const lab = await open();
    await lab.create('true');
    const wrong = [{ status: 'x', forMs: 1, until: 'job_running' }, { act: 'explode' }];
    const { status, json } = await lab.lab('PUT', 'jobs/latest/script', wrong);
    expect(status).toBe(400);
    expect(String(json?.['error'])).toMatch(/forMs or by until[\s\S]*preempt/);
    expect((await lab.lab('PUT', 'jobs/job-x/script', [{ act: 'preempt' }])).status).toBe(404);
    expect((await lab.lab('PUT', 'jobs/latest/script', '[{"act"')).status).toBe(400);
  });
});

describe('what jobs meet by chance', () => {
  it('is the same for the same seed, and about as often as was asked', async () => {
    const behaviour = {
      dry: { runMs: 60_000 },
      draws: { seed: 5, createFailed: 0.3, preempt: 0.3, withinMs: 100 },
    };
    const outcomes = await Promise.all(
      [1, 2].map(async () => {
        const lab = await open({ behaviour });
        const met: boolean[] = [];
        for (let nth = 0; nth < 40; nth += 1) {
          const id = await lab.create('true');
          const text = await readFile(join(lab.directory, 'jobs', id, 'job.json'), 'utf8');
          met.push((JSON.parse(text) as { script: unknown }).script !== null);
        }
        return met;
      }),
    );
    expect(outcomes[0]).toEqual(outcomes[1]);
    const count = outcomes[0]?.filter(Boolean).length;
    expect(count).toBeGreaterThan(10);
    expect(count).toBeLessThan(32);
  });
});

describe('dry jobs', () => {
  it('go through their states by the clock, without a process', async () => {
    const lab = await open({ gpus: 0, behaviour: { dry: { runMs: 300, exitCode: 1 } } });
    const id = await lab.create('echo never');
    await lab.reached(id, 'job_running');
    expect(await processesOf(id)).toEqual([]);
    const changes = { reserve_on_success_ms: '1' };
    await lab.reached(id, 'job_failed');
    await lab.set({ dry: { exitCode: 0 } });
    await lab.reached(await lab.create('true', changes), 'job_succeeded');
    expect((await lab.lab('GET', 'stats')).json).toMatchObject({ trainings: {} });
  });
});
