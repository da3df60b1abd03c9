import type { JobObservation, SubmissionOutcome } from '../../domain/job.ts';
import type { TaskNote } from '../../domain/task-note.ts';

export interface CreateJobInput {
  readonly experimentId: string;
  readonly attempt: number;
  readonly seed: number;
  readonly job: TaskNote['job'];
  readonly command: string;
}

export interface JobInput {
  readonly jobId: string;
}

export interface AwaitJobInput extends JobInput {
  /** Fingerprint of the observation seen last; null to get the first answer at once. */
  readonly since: string | null;
  readonly pollSeconds: number;
}

export interface SeenJob {
  readonly observation: JobObservation;
  /** Changes when status, reason or round change. */
  readonly fingerprint: string;
}

/** Queue `qizhi`, control zone. */
export interface QizhiActivities {
  /** Sends `create` at most once; a lost or unclear answer comes back as `unknown`, a clear refusal throws. */
  createJob(input: CreateJobInput): Promise<SubmissionOutcome>;
  /** Fails benignly (`JobUnchanged`) while the fingerprint is still `since`. */
  awaitJobChange(input: AwaitJobInput): Promise<SeenJob>;
  /** Asks to stop and returns once the platform shows a terminal status. */
  stopJob(input: JobInput): Promise<JobObservation>;
}
