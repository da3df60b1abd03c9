import { isHeld, scriptMove } from './follow-script.ts';
import { addEvent, type Job } from './job.ts';
import type { JobStore } from './job-store.ts';
import type { Look } from './look.ts';
import { perform } from './perform.ts';
import type { LiveSettings } from './settings.ts';
import {
  killProcesses,
  processesByJob,
  startWorkers,
  terminateWorkers,
  workerEnds,
  type WorkersOptions,
} from './workers.ts';

export interface JobLifeOptions extends WorkersOptions {
  readonly settings: LiveSettings;
  /** Called when a process of a job has ended. */
  readonly onExit: (job: Job) => void;
}

/** One job's way from its creation to its end. */
export interface JobLife {
  /** One step of it, if one is due: true when there may be another. */
  advance(job: Job, look: Look): Promise<boolean>;
  /** Whether nothing but room keeps it in the queue. */
  isReady(job: Job, look: Look): boolean;
  begin(job: Job): Promise<void>;
  change(job: Job, changes: Partial<Job>): Promise<true>;
}

/** Right after their start processes may not be there yet. */
const startingMs = 2000;
/** How often a job is looked at whose processes might be gone without a word. */
const watchMs = 1000;

export function createJobLife(store: JobStore, options: JobLifeOptions): JobLife {
  const { settings } = options;
  let seen: { readonly at: number; readonly processes: ReadonlyMap<string, readonly number[]> } | undefined;

  async function change(job: Job, changes: Partial<Job>): Promise<true> {
    const moved = changes.status !== undefined && changes.status !== job.status;
    Object.assign(job, moved && { since: Date.now() }, changes);
    await store.save(job);
    return true;
  }

  async function finish(job: Job, status: string, at = Date.now()): Promise<true> {
    return change(job, { status, finishedAt: Math.max(at, job.runAt ?? 0), leaving: null });
  }

  async function advance(job: Job, look: Look): Promise<boolean> {
    const move = scriptMove(job, look);
    if (move !== undefined) {
      await change(job, move.changes);
      if (move.act !== undefined) await perform(job, move.act, { change, finish, fail, reachTimeLimit });
      return true;
    }
    const { times } = settings.current;
    const stopped = job.stopAt !== null;
    switch (job.status) {
      case 'job_creating':
        if (stopped) return finish(job, 'job_stopped');
        if (!look.passed(job.since + times.creatingMs)) return false;
        return times.preCheckingMs > 0 ? change(job, { status: 'job_pre_checking' }) : enqueue(job);
      case 'job_pre_checking':
        if (stopped) return finish(job, 'job_stopped');
        return look.passed(job.since + times.preCheckingMs) ? enqueue(job) : false;
      case 'job_queuing':
        if (stopped) return finish(job, 'job_stopped');
        if (times.queueOutMs === null || !look.passed(job.since + times.queueOutMs)) return false;
        return finish(job, 'job_queue_out');
      case 'job_running':
      case 'job_stopping':
        return follow(job, look);
      case 'job_restarting':
        if (job.leaving !== null || stopped) return follow(job, look);
        if (!look.passed(job.since + times.restartingMs)) return false;
        await begin(job);
        return true;
      case 'job_fail_reserving':
      case 'job_success_reserving':
        return reserve(job, look);
      default:
        return false;
    }
  }

  async function enqueue(job: Job): Promise<true> {
    if (job.stuck) {
      const image = String((job.request['framework_config'] as { image: string }[])[0]?.image);
      addEvent(job, 'Warning', 'ErrImagePull', `Failed to pull image "${image}": not found`);
      addEvent(job, 'Warning', 'ImagePullBackOff', `Back-off pulling image "${image}"`);
    }
    return change(job, { status: 'job_queuing' });
  }

  async function begin(job: Job): Promise<void> {
    const preparedAt = Date.now();
    const again = job.status === 'job_restarting';
    addEvent(job, 'Normal', 'Scheduled', `Successfully assigned ${job.id}-worker-0 to lab-gpu0001`);
    addEvent(job, 'Normal', 'Started', 'Started container pytorch');
    // Written down first: whoever comes after a crash in between finds a running job without a process.
    await change(job, {
      status: job.stopAt === null ? 'job_running' : 'job_stopping',
      reason: '',
      termAt: null,
      starts: job.starts + 1,
      preparedAt: job.preparedAt ?? preparedAt,
      runAt: again ? job.runAt : preparedAt + 1,
      round: again ? job.round + 1 : job.round,
    });
    if (job.dry === null) {
      await startWorkers(job, store.folder(job.id), options, () => options.onExit(job));
    }
  }

  /** A job with processes, or one that is told as if it had some. */
  async function follow(job: Job, look: Look): Promise<boolean> {
    if (job.stopAt === null && job.leaving === null && look.passed((job.runAt ?? 0) + maxRunningMs(job))) {
      return reachTimeLimit(job);
    }
    const going = job.stopAt !== null || job.leaving !== null;
    if (job.dry !== null) {
      const end = look.passed((job.runAt ?? 0) + job.dry.runMs);
      return going || end ? settle(job, job.dry.exitCode === 0) : false;
    }
    const folder = store.folder(job.id);
    const known = await workerEnds(job, folder);
    if (!isDecided(known) && (await goesOn(job, going, look))) return false;
    // The job ends when any of its nodes has failed; a container takes everything in it along.
    await killProcesses(job.id);
    // Between the two looks a node may have written its end.
    const ends = await workerEnds(job, folder);
    const at = Math.max(...ends.map((end) => Math.round(end?.at ?? 0)));
    return settle(
      job,
      ends.every((end) => end?.code === 0),
      at === 0 ? Date.now() : at,
    );
  }

  /** False when nothing of the job is left to wait for. */
  async function goesOn(job: Job, going: boolean, look: Look): Promise<boolean> {
    if (going && job.termAt === null) {
      const { graceMs } = settings.current.times;
      const heard = await terminateWorkers(job, store.folder(job.id));
      const since = job.stopAt ?? job.since;
      if (!heard && !look.passed(since + graceMs)) look.passed(look.now + 50);
      else await change(job, { termAt: look.now });
    }
    if (job.termAt !== null && look.passed(job.termAt + settings.current.times.graceMs)) return false;
    const started = (job.preparedAt ?? 0) + startingMs;
    look.passed(look.now + watchMs);
    if (!look.passed(Math.max(started, job.since + startingMs))) return true;
    if (seen === undefined || look.now - seen.at > watchMs) {
      seen = { at: look.now, processes: await processesByJob() };
    }
    return seen.at < job.since + startingMs || seen.processes.has(job.id);
  }

  async function reachTimeLimit(job: Job): Promise<true> {
    return change(job, {
      status: 'job_stopping',
      reason: 'max_running_time_ms has passed',
      stopAt: Date.now(),
      endsAs: settings.current.cluster.timeLimitEnds,
    });
  }

  /** What becomes of a job whose processes are gone. */
  async function settle(job: Job, good: boolean, at = Date.now()): Promise<true> {
    if (job.stopAt !== null) return finish(job, job.endsAs ?? 'job_stopped');
    switch (job.leaving) {
      case 'queue':
        return change(job, {
          status: 'job_queuing',
          leaving: null,
          termAt: null,
          preparedAt: null,
          runAt: null,
        });
      case 'restart':
        return change(job, { leaving: null, termAt: null, since: Date.now() });
      case 'fail':
        return finish(job, 'job_failed');
      case null:
        return good ? succeed(job, at) : fail(job, at);
    }
  }

  async function succeed(job: Job, at: number): Promise<true> {
    const reserved = millisOf(job, 'reserve_on_success_ms') > 0;
    return reserved ? change(job, { status: 'job_success_reserving' }) : finish(job, 'job_succeeded', at);
  }

  async function fail(job: Job, at: number): Promise<true> {
    const { auto_fault_tolerance: tolerant, fault_tolerance_max_retry: retries } = job.request;
    if (tolerant === true && job.round <= Number(retries ?? 0)) {
      return change(job, { status: 'job_restarting', termAt: null });
    }
    const reserved = millisOf(job, 'reserve_on_fail_ms') > 0;
    return reserved ? change(job, { status: 'job_fail_reserving' }) : finish(job, 'job_failed', at);
  }

  async function reserve(job: Job, look: Look): Promise<boolean> {
    const good = job.status === 'job_success_reserving';
    const until = job.since + millisOf(job, good ? 'reserve_on_success_ms' : 'reserve_on_fail_ms');
    if (job.stopAt === null && !look.passed(until)) return false;
    return finish(job, good ? 'job_succeeded' : 'job_failed');
  }

  return {
    advance,
    begin,
    change,
    isReady: (job, look) =>
      job.status === 'job_queuing' &&
      !job.stuck &&
      !isHeld(job) &&
      look.passed(job.since + settings.current.times.queuingMs),
  };
}

function isDecided(ends: readonly (object | undefined)[]): boolean {
  const decided = ends as readonly ({ readonly code: number } | undefined)[];
  return (
    decided.every((end) => end !== undefined) || decided.some((end) => end !== undefined && end.code !== 0)
  );
}

function millisOf(job: Job, field: string): number {
  const asked = job.request[field];
  return typeof asked === 'string' && asked !== '' ? Number(asked) : 0;
}

function maxRunningMs(job: Job): number {
  const limit = millisOf(job, 'max_running_time_ms');
  return limit === 0 ? Infinity : limit;
}
