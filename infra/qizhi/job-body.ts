import type { TaskNote } from '../../domain/task-note.ts';

/** Body of `POST /openapi/v1/train_job/create`. */
export interface CreateJobBody {
  readonly name: string;
  readonly logic_compute_group_id: string;
  readonly project_id: string;
  readonly workspace_id: string;
  readonly framework: 'pytorch';
  readonly command: string;
  readonly task_priority: number;
  readonly auto_fault_tolerance: false;
  /** Milliseconds as a decimal string: the platform refuses a number. */
  readonly max_running_time_ms: string;
  readonly framework_config: readonly [FrameworkConfig];
}

/** Exactly these five keys: the platform refuses any other. */
interface FrameworkConfig {
  readonly image: string;
  readonly image_type: TaskNote['job']['image_type'];
  readonly instance_count: number;
  readonly shm_gi: number;
  readonly spec_id: string;
}

const msPerHour = 3_600_000;

/**
 * The request for one training job. No environment variables: they are shown to everybody who may see the job, and all
 * that the job needs stands in its start script.
 */
export function jobBody(job: TaskNote['job'], name: string, command: string): CreateJobBody {
  return {
    name,
    logic_compute_group_id: job.logic_compute_group_id,
    project_id: job.project_id,
    workspace_id: job.workspace_id,
    framework: 'pytorch',
    command,
    task_priority: job.priority,
    // A platform restart would train a second time; a rerun is the PI's decision.
    auto_fault_tolerance: false,
    max_running_time_ms: String(Math.round(job.max_hours * msPerHour)),
    framework_config: [
      {
        image: job.image,
        image_type: job.image_type,
        instance_count: job.instance_count,
        shm_gi: job.shm_gi,
        spec_id: job.spec_id,
      },
    ],
  };
}
