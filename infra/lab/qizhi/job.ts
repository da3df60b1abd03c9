import { z } from 'zod';

import { Script } from './script.ts';

const epochMs = z.number();

/** What the platform tells of a job in its list of events. `at`: ms since the epoch, UTC. */
export const JobEvent = z.object({
  type: z.enum(['Normal', 'Warning']),
  reason: z.string(),
  message: z.string(),
  firstAt: epochMs,
  lastAt: epochMs,
});
export type JobEvent = z.infer<typeof JobEvent>;

/** A job as the stand-in keeps it on disk. Times are ms since the epoch, UTC. */
export const Job = z.object({
  id: z.string(),
  request: z.record(z.string(), z.unknown()),
  command: z.string(),
  nodes: z.number(),
  gpusPerNode: z.number(),
  status: z.string(),
  reason: z.string(),
  createdAt: epochMs,
  preparedAt: epochMs.nullable(),
  runAt: epochMs.nullable(),
  finishedAt: epochMs.nullable(),
  /** When it was asked to stop. */
  stopAt: epochMs.nullable(),
  /** When its present status began. */
  since: epochMs.default(0),
  /** 1 at first; grows with each restart of the whole job by the platform. */
  round: z.number().default(1),
  /** How often its command was really begun. */
  starts: z.number().default(0),
  /** What becomes of it once its processes are gone, when the platform itself takes them away. */
  leaving: z.enum(['queue', 'restart', 'fail']).nullable().default(null),
  /** When its processes were told to end. */
  termAt: epochMs.nullable().default(null),
  /** How it ends once it was stopped, where that is not `job_stopped`. */
  endsAs: z.string().nullable().default(null),
  /** Nothing is run: it ends with `exitCode` after `runMs`. */
  dry: z.object({ runMs: z.number(), exitCode: z.number() }).nullable().default(null),
  /** It cannot start: its image does not exist. */
  stuck: z.boolean().default(false),
  events: z.array(JobEvent).default([]),
  /** `acted`: what is to happen at the beginning of the present step has happened. */
  script: z
    .object({ steps: Script, step: z.number(), since: epochMs, acted: z.boolean() })
    .nullable()
    .default(null),
  /** A status that somebody wants to be shown instead of the true one. */
  shown: z.object({ status: z.string(), reason: z.string(), round: z.number() }).nullable(),
});
export type Job = z.infer<typeof Job>;

export const endedStatuses: ReadonlySet<string> = new Set([
  'job_succeeded',
  'job_failed',
  'job_stopped',
  'job_queue_out',
  'job_create_failed',
  'job_pre_check_failed',
]);

/** With these a job has its GPUs. */
const holdingStatuses: ReadonlySet<string> = new Set([
  'job_running',
  'job_stopping',
  'job_restarting',
  'job_fail_reserving',
  'job_success_reserving',
]);

export function isPlaced(job: Job): boolean {
  return holdingStatuses.has(job.status);
}

/** GPUs that are taken by it now. */
export function heldGpus(job: Job): number {
  return job.dry === null && isPlaced(job) ? gpusOf(job) : 0;
}

export function gpusOf(job: Job): number {
  return job.nodes * job.gpusPerNode;
}

/** What is told of a job: the truth, unless its script or somebody by hand says otherwise. */
export function told(job: Job): {
  readonly status: string;
  readonly reason: string;
  readonly round: number;
} {
  const truth = { status: job.status, reason: job.reason, round: job.round };
  const { status, reason, round } = job.script?.steps[job.script.step] ?? {};
  const scripted = {
    ...(status !== undefined && { status, reason: '' }),
    ...(reason !== undefined && { reason }),
    ...(round !== undefined && { round }),
  };
  return { ...truth, ...scripted, ...job.shown };
}

const keptEvents = 100;

/** The same event again only moves its last time, as the platform folds them. */
export function addEvent(job: Job, type: JobEvent['type'], reason: string, message: string): void {
  const now = Date.now();
  const last = job.events.at(-1);
  if (last?.reason === reason && last.message === message) last.lastAt = now;
  else {
    job.events = [...job.events, { type, reason, message, firstAt: now, lastAt: now }].slice(-keptEvents);
  }
}
