import { jobName } from '../../domain/ids.ts';
import type { TaskNote } from '../../domain/task-note.ts';
import { Failure } from '../failure.ts';
import { findBodyProblems } from './body-problems.ts';

/** Body of `POST /openapi/v1/train_job/create`, and of `CreateJob` on `/api/v2`. */
export interface CreateJobBody {
  readonly name: string;
  readonly logic_compute_group_id: string;
  readonly project_id: string;
  readonly workspace_id: string;
  readonly framework: 'pytorch';
  readonly command: string;
  readonly task_priority: number;
  readonly auto_fault_tolerance: boolean;
  /** Only where restarts are asked for. */
  readonly fault_tolerance_max_retry?: number;
  /** Milliseconds as a decimal string: the platform refuses a number. */
  readonly max_running_time_ms: string;
  /** The platform takes `name`, not `key`. */
  readonly envs: readonly { readonly name: string; readonly value: string }[];
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

export interface JobBodyInput {
  readonly experimentId: string;
  readonly attempt: number;
  readonly seed: number;
  readonly job: TaskNote['job'];
  /** What every node runs by `sh`. */
  readonly command: string;
}

const msPerHour = 3_600_000;

/**
 * The request for one training job. Its environment variables only tell people in the console what the job belongs to: they
 * are shown to everybody who may see the job, and all that the job needs stands in its start script.
 *
 * Throws `QizhiInvalid` with everything that the platform is known to refuse or to choke on later.
 */
export function jobBody({ experimentId, attempt, seed, job, command }: JobBodyInput): CreateJobBody {
  // The note of an experiment that was started before there was this field has none.
  const restarts = job.max_restarts > 0 ? job.max_restarts : 0;
  const body: CreateJobBody = {
    name: jobName(experimentId, attempt, seed),
    logic_compute_group_id: job.logic_compute_group_id,
    project_id: job.project_id,
    workspace_id: job.workspace_id,
    framework: 'pytorch',
    command,
    task_priority: job.priority,
    // A restart trains anew unless the command resumes by itself, so that it has to be asked for.
    auto_fault_tolerance: restarts > 0,
    ...(restarts > 0 && { fault_tolerance_max_retry: restarts }),
    max_running_time_ms: String(Math.round(job.max_hours * msPerHour)),
    envs: [
      { name: 'HEPHAESTUS_EXPERIMENT', value: experimentId },
      { name: 'HEPHAESTUS_ATTEMPT', value: String(attempt) },
      { name: 'HEPHAESTUS_SEED', value: String(seed) },
    ],
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
  const problems = findBodyProblems(body);
  if (problems.length === 0) return body;
  throw new Failure(
    'QizhiInvalid',
    `The job cannot be submitted; nothing was sent. Correct the task note's job section:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
  );
}
