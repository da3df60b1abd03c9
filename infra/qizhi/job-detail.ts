import { z } from 'zod';

import type { JobObservation } from '../../domain/job.ts';
import { isReserving, jobState } from './job-status.ts';

/** The platform writes some numbers as strings, and leaves fields out or empty until they mean something. */
export const looseNumber = z
  .union([z.number(), z.string().regex(/^\d+$/).transform(Number)])
  .optional()
  .catch(undefined);

const FrameworkConfig = z.object({
  instance_count: looseNumber,
  gpu_count: looseNumber,
  instance_spec_price_info: z.object({ gpu_count: looseNumber }).optional().catch(undefined),
});

/** What is relied on of the answer to `detail`; everything but these two may be missing. */
export const JobDetail = z.object({
  job_id: z.string(),
  status: z.string().min(1),
  sub_msg: z.string().catch(''),
  running_time_ms: looseNumber,
  max_running_time_ms: looseNumber,
  current_running_round: looseNumber,
  gpu_count: looseNumber,
  timeline: z.object({ run: looseNumber, finished: looseNumber }).optional().catch(undefined),
  framework_config: z.array(FrameworkConfig).catch([]),
});
export type JobDetail = z.infer<typeof JobDetail>;

/** An observation, and what only the next question depends on. */
export interface PlatformJob extends JobObservation {
  /** Until the platform's own time limit, ms, negative when it has passed; null where it does not say or does not run. */
  readonly leftMs: number | null;
}

/** `now`: ms since the epoch, UTC. */
export function toPlatformJob(detail: JobDetail, now: number): PlatformJob {
  const runningMs = detail.running_time_ms ?? sinceRun(detail, now);
  return {
    jobId: detail.job_id,
    state: jobState(detail.status),
    rawStatus: detail.status,
    reason: detail.sub_msg,
    runningMs,
    gpuCount: detail.gpu_count ?? gpusOfConfig(detail),
    round: detail.current_running_round ?? 0,
    reserving: isReserving(detail.status),
    evicted: false,
    queuedMs: 0,
    observedAt: now,
    leftMs: detail.max_running_time_ms && runningMs > 0 ? detail.max_running_time_ms - runningMs : null,
  };
}

function sinceRun({ timeline }: JobDetail, now: number): number {
  return timeline?.run === undefined ? 0 : Math.max(0, (timeline.finished ?? now) - timeline.run);
}

function gpusOfConfig(detail: JobDetail): number {
  return detail.framework_config.reduce((sum, config) => {
    const each = config.gpu_count ?? config.instance_spec_price_info?.gpu_count ?? 0;
    return sum + each * (config.instance_count ?? 1);
  }, 0);
}
