import { z } from 'zod';

const epochMs = z.number();

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
  /** A status that a test wants to be shown instead of the true one. */
  shown: z.object({ status: z.string(), reason: z.string(), round: z.number() }).nullable(),
});
export type Job = z.infer<typeof Job>;

export const endedStatuses = new Set([
  'job_succeeded',
  'job_failed',
  'job_stopped',
  'job_queue_out',
  'job_create_failed',
]);
