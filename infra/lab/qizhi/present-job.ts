import { gpusOf, isPlaced, told, type Job, type JobEvent } from './job.ts';
import { priorityLevel, storedPriority } from './priority.ts';

/**
 * The `data` of the platform's `detail`: times are strings, and a stage that is not reached has no key. `now`: ms since
 * the epoch; `skewMs` is added to every time that is told.
 */
export function presentJob(job: Job, now: number, skewMs: number): Record<string, unknown> {
  const { request } = job;
  const { status, reason, round } = told(job);
  const at = (time: number) => String(time + skewMs);
  const priority = Number(request['task_priority']);
  return {
    job_id: job.id,
    name: request['name'],
    command: job.command,
    framework: request['framework'],
    status,
    sub_status: 0,
    sub_code: 0,
    sub_msg: reason,
    created_at: at(job.createdAt),
    finished_at: job.finishedAt === null ? '' : at(job.finishedAt),
    ...(job.runAt !== null && {
      running_time_ms: String(Math.max(0, Math.round((job.finishedAt ?? now) - job.runAt))),
    }),
    timeline: {
      created: at(job.createdAt),
      ...(job.preparedAt !== null && { resource_prepared: at(job.preparedAt) }),
      ...(job.runAt !== null && { run: at(job.runAt) }),
      ...(job.finishedAt !== null && { finished: at(job.finishedAt) }),
    },
    current_running_round: round,
    auto_fault_tolerance: request['auto_fault_tolerance'] ?? false,
    fault_tolerance_max_retry: request['fault_tolerance_max_retry'] ?? 0,
    max_running_time_ms: request['max_running_time_ms'] ?? '',
    reserve_on_fail_ms: request['reserve_on_fail_ms'] ?? '',
    reserve_on_success_ms: request['reserve_on_success_ms'] ?? '',
    task_priority: 0,
    priority: storedPriority(priority),
    priority_level: priorityLevel(priority),
    priority_name: String(priority),
    project_id: request['project_id'],
    workspace_id: request['workspace_id'],
    logic_compute_group_id: request['logic_compute_group_id'],
    node_count: job.nodes,
    node_infos: nodesOf(job).map((name) => ({ node_name: name })),
    gpu_count: gpusOf(job),
    envs: [],
    framework_config: frameworkConfig(job),
  };
}

function nodesOf(job: Job): readonly string[] {
  const here = job.runAt !== null && isPlaced(job);
  return here ? Array.from({ length: job.nodes }, (_, node) => `lab-gpu000${node + 1}`) : [];
}

/** An event as `ListJobEvents` tells it. */
export function presentEvent(
  job: Job,
  event: JobEvent,
  now: number,
  skewMs: number,
): Record<string, unknown> {
  return {
    type: event.type,
    reason: event.reason,
    message: event.message,
    from: 'lab-scheduler',
    first_timestamp: String(event.firstAt + skewMs),
    last_timestamp: String(event.lastAt + skewMs),
    age: `${Math.max(0, Math.round((now - event.lastAt) / 1000))}s`,
    object_id: job.id,
    object_type: 'job',
  };
}

/** The pods of a job as `ListJobInstances` tells them; none before the job has been placed. */
export function presentInstances(job: Job, now: number, skewMs: number): readonly Record<string, unknown>[] {
  const { runAt, finishedAt } = job;
  if (runAt === null) return [];
  const status = instanceStatuses[job.status] ?? 'instance_running';
  return Array.from({ length: job.nodes }, (_, rank) => ({
    name: `${job.id}-worker-${rank}`,
    instance_type: 'worker',
    node: nodesOf(job)[rank] ?? '',
    instance_status: status,
    created_at: String(runAt + skewMs),
    started_at: String(runAt + skewMs),
    finished_at: finishedAt === null ? '' : String(finishedAt + skewMs),
    running_time_ms: String(Math.max(0, (finishedAt ?? now) - runAt)),
  }));
}

const instanceStatuses: Readonly<Record<string, string>> = {
  job_stopping: 'instance_stopping',
  job_stopped: 'instance_stopped',
  job_succeeded: 'instance_success',
  job_failed: 'instance_failed',
  job_fail_reserving: 'instance_fail_reserving',
  job_success_reserving: 'instance_success_reserving',
  job_queuing: 'instance_stopped',
  job_restarting: 'instance_creating',
};

/** `spec_id` is not echoed; it comes back as `quota_id`. */
function frameworkConfig(job: Job): readonly Record<string, unknown>[] {
  const configs = job.request['framework_config'] as readonly Record<string, unknown>[];
  return configs.map(({ spec_id: quotaId, ...config }) => ({
    ...config,
    gpu_count: job.gpusPerNode,
    instance_spec_price_info: {
      quota_id: quotaId,
      gpu_count: job.gpusPerNode,
      gpu_info: { gpu_type: 'NVIDIA_H100_SXM_80G' },
    },
  }));
}
