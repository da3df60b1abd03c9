import { z } from 'zod';

/** What can really be made to happen to a job. */
export const Act = z.enum([
  /** Told to end (SIGTERM, then SIGKILL), put back into the queue, and run again from there. Events `Preempted`, `Evict`. */
  'preempt',
  /** The same, but it ends as failed. */
  'evict',
  /** Told to end, `job_restarting`, and run again on the same nodes with the next round. */
  'restart',
  /** Every process is killed at once; `job_failed`, or a restart where fault tolerance was asked for. */
  'node-loss',
  /** As if `max_running_time_ms` had passed. */
  'time-limit',
  /** Kept in the queue while this step lasts. */
  'hold',
  /** These end a job that has not begun to run. */
  'queue-out',
  'create-failed',
  'pre-check-failed',
]);
export type Act = z.infer<typeof Act>;

const Step = z
  .strictObject({
    /** What really happens at the beginning of the step. */
    act: Act.optional(),
    /** What is told while it lasts, any text; the truth where it is not given. */
    status: z.string().min(1).optional(),
    reason: z.string().optional(),
    round: z.int().min(0).optional(),
    /** The step ends after so many ms, ... */
    forMs: z.int().min(0).optional(),
    /**
     * ... or when the job's true status is this, or it has ended. A step with neither stays for ever when it tells
     * something or holds the job; else it is over at once.
     */
    until: z.string().min(1).optional(),
  })
  .refine((step) => step.forMs === undefined || step.until === undefined, {
    message: 'a step ends by forMs or by until, not by both',
  });
export type Step = z.infer<typeof Step>;

export const Script = z.array(Step).min(1, 'a script has at least one step');
export type Script = z.infer<typeof Script>;

/** A script for jobs that are created later. */
export const ScriptOrder = z.strictObject({
  /** Only for jobs whose name contains it. */
  name: z.string().default(''),
  /** For how many jobs. */
  times: z.int().min(1).default(1),
  steps: Script,
});
export type ScriptOrder = z.infer<typeof ScriptOrder>;
