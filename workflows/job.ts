import type { JobOutcome } from '../domain/job.ts';
import type { JobKey } from '../activities/attempts/interface.ts';
import type { SyncedRun } from '../activities/wandb/interface.ts';
import type { TaskNote } from '../domain/task-note.ts';

/** Argument of `JobWorkflow`: one seed of one attempt. */
export interface JobWorkflowInput extends JobKey {
  readonly job: TaskNote['job'];
  readonly command: string;
  readonly pollSeconds: number;
  readonly unknownDeadlineMinutes: number;
}

/** What a job cost and left, however it ended. */
export interface JobBill {
  readonly jobId: string | null;
  readonly outcome: JobOutcome;
  readonly gpuHours: number;
  readonly wallHours: number;
  readonly peakMemoryBytes: number | null;
  readonly duplicates: readonly string[];
}

/** Result of `JobWorkflow`: a job that trained to its end. One that did not fails it, with its bill in the details. */
export interface TrainedJob extends JobBill {
  readonly seed: number;
  readonly jobId: string;
}

/** A job that trained to its end and whose run W&B has acknowledged. */
export interface FinishedJob extends TrainedJob {
  readonly run: SyncedRun;
}
