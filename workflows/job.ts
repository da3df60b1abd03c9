import type { JobKey } from '../activities/attempts/interface.ts';
import type { SyncedRun } from '../activities/wandb/interface.ts';
import type { TaskNote } from '../domain/task-note.ts';

/** Argument of `JobWorkflow`: one seed of one attempt. */
export interface JobWorkflowInput extends JobKey {
  readonly runId: string;
  readonly job: TaskNote['job'];
  readonly wandb: TaskNote['wandb'];
  readonly command: string;
  readonly pollSeconds: number;
  readonly unknownDeadlineMinutes: number;
}

/** A job that trained to its end and whose run W&B has acknowledged. */
export interface FinishedJob {
  readonly seed: number;
  readonly jobId: string;
  readonly gpuHours: number;
  readonly wallHours: number;
  readonly run: SyncedRun;
}
