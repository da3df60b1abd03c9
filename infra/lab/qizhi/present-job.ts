import type { Job } from './job.ts';
import { gpusOf } from './scheduler.ts';

/** The `data` of the platform's `detail`: times are strings, and a stage that is not reached has no key. */
export function presentJob(job: Job, now: number): Record<string, unknown> {
  const { request } = job;
  const end = job.finishedAt ?? now;
  const priority = Number(request['task_priority']);
  return {
    job_id: job.id,
    name: request['name'],
    command: job.command,
    framework: request['framework'],
    status: job.shown?.status ?? job.status,
    sub_status: 0,
    sub_code: 0,
    sub_msg: job.shown?.reason ?? job.reason,
    created_at: String(job.createdAt),
    finished_at: job.finishedAt === null ? '' : String(job.finishedAt),
    ...(job.runAt !== null && { running_time_ms: String(Math.max(0, Math.round(end - job.runAt))) }),
    timeline: {
      created: String(job.createdAt),
      ...(job.preparedAt !== null && { resource_prepared: String(job.preparedAt) }),
      ...(job.runAt !== null && { run: String(job.runAt) }),
      ...(job.finishedAt !== null && { finished: String(job.finishedAt) }),
    },
    current_running_round: job.shown?.round ?? 1,
    auto_fault_tolerance: request['auto_fault_tolerance'] ?? false,
    fault_tolerance_max_retry: 0,
    max_running_time_ms: request['max_running_time_ms'] ?? '',
    task_priority: 0,
    priority: storedPriority(priority),
    priority_level: priority <= 3 ? 'LOW' : priority === 4 ? 'NORMAL' : 'HIGH',
    priority_name: String(priority),
    project_id: request['project_id'],
    workspace_id: request['workspace_id'],
    logic_compute_group_id: request['logic_compute_group_id'],
    node_count: job.nodes,
    node_infos: nodeInfos(job),
    gpu_count: gpusOf(job),
    envs: [],
    framework_config: frameworkConfig(job),
  };
}

function nodeInfos(job: Job): readonly { node_name: string }[] {
  const placed = job.runAt !== null && job.finishedAt === null;
  return placed
    ? Array.from({ length: job.nodes }, (_, node) => ({ node_name: `lab-gpu000${node + 1}` }))
    : [];
}

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

function storedPriority(priority: number): number {
  if (priority <= 3) return 10 + priority;
  return priority === 4 ? 20 : 25 + priority;
}
