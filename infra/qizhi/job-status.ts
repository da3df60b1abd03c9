import type { JobState } from '../../domain/job.ts';

/**
 * Every status string that the platform or a client of it is known to use, without the prefix `job_` and in lower case.
 * One that is not here is `unknown`: never an end, and never a success.
 */
const states: Readonly<Record<string, JobState>> = {
  creating: 'pending',
  created: 'pending',
  pending: 'pending',
  pre_checking: 'pending',
  queuing: 'queued',
  queueing: 'queued',
  queued: 'queued',
  running: 'running',
  restarting: 'restarting',
  stopping: 'stopping',
  succeeded: 'succeeded',
  success_reserving: 'succeeded',
  succeeded_retaining: 'succeeded',
  failed: 'failed',
  fail_reserving: 'failed',
  failed_retaining: 'failed',
  create_failed: 'not-started',
  pre_check_failed: 'not-started',
  stopped: 'stopped',
  cancelled: 'stopped',
  canceled: 'stopped',
  deleted: 'stopped',
  queue_out: 'queue-out',
};

/** The process has ended, but the platform keeps the GPUs for somebody to look around. */
const reserving = new Set(['success_reserving', 'succeeded_retaining', 'fail_reserving', 'failed_retaining']);

const terminal = new Set<JobState>(['succeeded', 'failed', 'stopped', 'queue-out', 'not-started', 'gone']);

/** What a status of the platform means, for example `job_queuing` or `QUEUING`. */
export function jobState(rawStatus: string): JobState {
  const name = bareName(rawStatus);
  return Object.hasOwn(states, name) ? (states[name] ?? 'unknown') : 'unknown';
}

/** Whether the process has ended while the platform still holds the GPUs. */
export function isReserving(rawStatus: string): boolean {
  return reserving.has(bareName(rawStatus));
}

/** Whether the job has ended and holds no GPUs any more. */
export function isReleased(rawStatus: string): boolean {
  return terminal.has(jobState(rawStatus)) && !isReserving(rawStatus);
}

function bareName(rawStatus: string): string {
  return rawStatus.trim().toLowerCase().replace(/^job_/, '');
}
