import { isHeld } from './follow-script.ts';
import { addEvent, endedStatuses, gpusOf, heldGpus, type Job } from './job.ts';
import { createJobLife } from './job-life.ts';
import type { JobStore } from './job-store.ts';
import { createLook } from './look.ts';
import type { Script } from './script.ts';
import type { LiveSettings } from './settings.ts';
import { killProcesses, type WorkersOptions } from './workers.ts';

export interface SchedulerOptions extends WorkersOptions {
  readonly settings: LiveSettings;
}

export interface Scheduler {
  /** Takes in a new job. */
  take(job: Job, steps: Script | null): Promise<void>;
  /** Tells a job that has not ended to end. */
  stop(job: Job): Promise<void>;
  /** Gives a job a script in place of the one it has; null takes it away. */
  setScript(job: Job, steps: Script | null): Promise<void>;
  /** What is told of a job instead of the truth; null for the truth. */
  show(job: Job, shown: Job['shown']): Promise<void>;
  forget(id: string): void;
  /** Looks at every job again, for example after a change of the settings. */
  reconsider(): void;
  /** Moves the jobs on that are due. */
  turn(): Promise<void>;
  /** Kills what runs. */
  killAll(): Promise<void>;
}

/** How many jobs are looked at side by side: what takes time is the disk and the end of processes. */
const atOnce = 50;

/**
 * Takes the jobs through their states. A turn costs as much as there is to do: a job is looked at when something
 * happened to it or a time has come that it waits for, and one that only queues is not looked at at all.
 */
export function createScheduler(store: JobStore, options: SchedulerOptions): Scheduler {
  const { settings } = options;
  /** To be looked at in the next turn, by id. */
  const due = new Set<string>();
  /** When to look again, by id, ms since the epoch. */
  const timetable = new Map<string, number>();
  /** In the queue and waiting for GPUs, by id, the first first. */
  const waiting = new Set<string>();
  /** Those that hold GPUs, by id. */
  const holding = new Map<string, number>();
  let roomMayHaveChanged = true;

  const life = createJobLife(store, { ...options, onExit: (job) => due.add(job.id) });

  async function lookAt(job: Job): Promise<void> {
    let look = createLook(Date.now());
    try {
      while (await life.advance(job, look)) look = createLook(Date.now());
    } catch (error) {
      due.add(job.id);
      throw error;
    }
    if (job.status === 'job_queuing' && isHeld(job)) await wait(job);
    const ready = life.isReady(job, look);
    if (!ready) waiting.delete(job.id);
    else if (job.dry !== null) await begin(job);
    else if (!waiting.has(job.id)) {
      waiting.add(job.id);
      roomMayHaveChanged = true;
    }
    note(job);
    if (look.next() === Infinity) timetable.delete(job.id);
    else timetable.set(job.id, look.next());
  }

  function note(job: Job): void {
    const held = heldGpus(job);
    if (held === (holding.get(job.id) ?? 0)) return;
    if (held === 0) holding.delete(job.id);
    else holding.set(job.id, held);
    roomMayHaveChanged = true;
  }

  async function begin(job: Job): Promise<void> {
    await life.begin(job);
    note(job);
    due.add(job.id);
  }

  /** Begins what there is room for, in the order of the queue; a smaller job may pass a larger one. */
  async function place(): Promise<void> {
    if (!roomMayHaveChanged) return;
    roomMayHaveChanged = false;
    for (const id of waiting) {
      const job = store.jobs.get(id);
      if (job === undefined || job.stopAt !== null) waiting.delete(id);
      else if (gpusOf(job) > room()) await wait(job);
      else {
        waiting.delete(id);
        await begin(job);
      }
    }
  }

  function room(): number {
    const { cluster, create } = settings.current;
    const used = [...holding.values()].reduce((sum, each) => sum + each, 0);
    return Math.min(cluster.gpus, create.quota?.runGpus ?? Infinity) - used;
  }

  async function wait(job: Job): Promise<void> {
    const reason = `0/${settings.current.cluster.nodes} nodes are unavailable: Insufficient cpu.`;
    if (job.reason === reason) return;
    addEvent(job, 'Warning', 'FailedScheduling', reason);
    await life.change(job, { reason });
  }

  function reconsider(): void {
    roomMayHaveChanged = true;
    const open = [...store.jobs.values()].filter(
      (job) => !endedStatuses.has(job.status) || job.script !== null,
    );
    for (const { id } of open.toSorted((a, b) => a.createdAt - b.createdAt)) due.add(id);
  }

  for (const job of store.jobs.values()) note(job);
  reconsider();
  return {
    reconsider,
    async take(job, steps) {
      addEvent(job, 'Normal', 'SetPodTemplateSchedulerName', 'Another scheduler is specified');
      await life.change(job, { script: scriptOf(steps) });
      due.add(job.id);
    },
    async stop(job) {
      if (job.stopAt !== null) return;
      const runs = job.status === 'job_running' || job.status === 'job_restarting';
      await life.change(job, { stopAt: Date.now(), ...(runs && { status: 'job_stopping' }) });
      due.add(job.id);
    },
    async setScript(job, steps) {
      await life.change(job, { script: scriptOf(steps) });
      due.add(job.id);
    },
    async show(job, shown) {
      await life.change(job, { shown });
    },
    forget(id) {
      for (const each of [due, timetable, waiting, holding]) each.delete(id);
    },
    async turn() {
      const now = Date.now();
      for (const [id, at] of timetable) if (at <= now) due.add(id);
      const ids = [...due];
      due.clear();
      const troubles: unknown[] = [];
      for (let nth = 0; nth < ids.length; nth += atOnce) {
        const looks = ids.slice(nth, nth + atOnce).flatMap((id) => {
          const job = store.jobs.get(id);
          return job === undefined ? [] : [lookAt(job)];
        });
        for (const look of await Promise.allSettled(looks)) {
          if (look.status === 'rejected') troubles.push(look.reason);
        }
      }
      await place();
      if (troubles.length > 0)
        throw new AggregateError(troubles, `in turn: ${troubles.map(String).join('; ')}`);
    },
    async killAll() {
      await Promise.all([...holding.keys()].map(async (id) => killProcesses(id)));
    },
  };
}

function scriptOf(steps: Script | null): Job['script'] {
  return steps === null ? null : { steps, step: 0, since: Date.now(), acted: false };
}
