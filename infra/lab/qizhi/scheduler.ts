import { endedStatuses, gpusOf, type Job } from './job.ts';
import type { JobStore } from './job-store.ts';
import type { LiveSettings } from './settings.ts';
import {
  killProcesses,
  processesOf,
  startWorkers,
  terminateWorkers,
  workerEnds,
  type WorkerEnd,
  type WorkersOptions,
} from './workers.ts';

export interface SchedulerOptions extends WorkersOptions {
  readonly settings: LiveSettings;
}

export interface Scheduler {
  /** Takes in a new job. */
  take(job: Job): Promise<void>;
  /** Tells a job that has not ended to end. */
  stop(job: Job): Promise<void>;
  /** Moves every job on as far as it is due. */
  turn(): Promise<void>;
  /** Kills what runs. */
  killAll(): Promise<void>;
}

/** Takes the jobs through their states, the oldest first. */
export function createScheduler(store: JobStore, options: SchedulerOptions): Scheduler {
  async function advance(job: Job): Promise<void> {
    switch (job.status) {
      case 'job_creating':
        if (job.stopAt !== null) return finish(job, 'job_stopped', Date.now());
        if (Date.now() - job.createdAt >= options.settings.current.times.creatingMs)
          await change(job, { status: 'job_queuing' });
        return;
      case 'job_queuing':
        if (job.stopAt !== null) return finish(job, 'job_stopped', Date.now());
        return leaveQueue(job);
      case 'job_running':
      case 'job_stopping':
        return follow(job);
    }
  }

  async function leaveQueue(job: Job): Promise<void> {
    if (
      Date.now() - job.createdAt <
      options.settings.current.times.creatingMs + options.settings.current.times.queuingMs
    )
      return;
    const wanted = gpusOf(job);
    const used = running().reduce((sum, each) => sum + gpusOf(each), 0);
    if (used + wanted > options.settings.current.cluster.gpus) {
      const reason = `0/1 nodes are available: Insufficient nvidia.com/gpu (${options.settings.current.cluster.gpus - used} free, ${wanted} asked for).`;
      if (job.reason !== reason) await change(job, { reason });
      return;
    }
    const preparedAt = Date.now();
    // Written down first: whoever comes after a crash in between finds a running job without a process.
    await change(job, { status: 'job_running', reason: '', preparedAt, runAt: preparedAt + 1 });
    await startWorkers(job, store.folder(job.id), options);
  }

  async function follow(job: Job): Promise<void> {
    const folder = store.folder(job.id);
    const known = await workerEnds(job, folder);
    if (!isOver(known) && (await goesOn(job))) return;
    // The job ends when any of its nodes has failed; a container takes everything in it along.
    await killProcesses(job.id);
    // Between the two looks a node may have written its end.
    const ends = await workerEnds(job, folder);
    const at = Math.max(job.runAt ?? 0, ...ends.map((end) => Math.round(end?.at ?? 0)));
    if (job.stopAt !== null) return finish(job, 'job_stopped', Date.now());
    return finish(job, ends.every((end) => end?.code === 0) ? 'job_succeeded' : 'job_failed', at);
  }

  /** False when nothing of the job is left to wait for. */
  async function goesOn(job: Job): Promise<boolean> {
    const now = Date.now();
    const runMs = now - (job.runAt ?? now);
    if (job.stopAt === null && runMs > maxRunningMs(job)) {
      await change(job, { reason: 'max_running_time_ms has passed', stopAt: now });
    }
    if (job.stopAt !== null && job.status === 'job_running') {
      await change(job, { status: 'job_stopping' });
      await terminateWorkers(job, store.folder(job.id));
    }
    if (job.stopAt !== null && now - job.stopAt > options.settings.current.times.graceMs) return false;
    // Right after the start its processes may not be there yet.
    return runMs < startingMs || (await processesOf(job.id)).length > 0;
  }

  async function change(job: Job, changes: Partial<Job>): Promise<void> {
    Object.assign(
      job,
      changes,
      changes.status !== undefined && {
        starts: changes.status === 'job_running' ? job.starts + 1 : job.starts,
      },
    );
    await store.save(job);
  }

  async function finish(job: Job, status: string, at: number): Promise<void> {
    await change(job, { status, finishedAt: at });
  }

  function running(): Job[] {
    return [...store.jobs.values()].filter((job) => ['job_running', 'job_stopping'].includes(job.status));
  }

  return {
    take: (job) => store.save(job),
    async stop(job) {
      if (job.stopAt !== null) return;
      await change(job, {
        stopAt: Date.now(),
        ...(job.status === 'job_running' && { status: 'job_stopping' }),
      });
      await terminateWorkers(job, store.folder(job.id));
    },
    async turn() {
      const open = [...store.jobs.values()]
        .filter((job) => !endedStatuses.has(job.status))
        .toSorted((a, b) => a.createdAt - b.createdAt);
      for (const job of open) await advance(job);
    },
    async killAll() {
      await Promise.all(running().map(async (job) => killProcesses(job.id)));
    },
  };
}

const startingMs = 2000;

function isOver(ends: readonly (WorkerEnd | undefined)[]): boolean {
  return ends.every((end) => end !== undefined) || ends.some((end) => end !== undefined && end.code !== 0);
}

function maxRunningMs(job: Job): number {
  const asked = job.request['max_running_time_ms'];
  return typeof asked === 'string' && asked !== '' ? Number(asked) : Infinity;
}
