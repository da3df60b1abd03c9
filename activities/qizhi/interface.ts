import type { JobObservation, ListedSubmission, SubmissionOutcome } from '../../domain/job.ts';
import type { TaskNote } from '../../domain/task-note.ts';

export interface CreateJobInput {
  readonly experimentId: string;
  readonly attempt: number;
  readonly seed: number;
  readonly job: TaskNote['job'];
  readonly command: string;
}

export interface FindJobInput {
  readonly experimentId: string;
  readonly attempt: number;
  readonly seed: number;
  readonly workspaceId: string;
  /** Seconds between two looks; null for one look, whatever it shows. */
  readonly pollSeconds: number | null;
}

export interface JobInput {
  readonly jobId: string;
}

export interface AwaitJobInput extends JobInput {
  /** Fingerprint of the observation seen last; null to get the first answer at once. */
  readonly since: string | null;
  /** The ordinary time between two questions, seconds; shorter near a change, longer in a long queue and under load. */
  readonly pollSeconds: number;
}

export interface SeenJob {
  readonly observation: JobObservation;
  /**
   * Changes when status, round, eviction or reserving change (the stages before it runs count as one status), and once more when a queue stands still; never with the
   * words of a reason or with times, which change all the while and mean nothing new.
   */
  readonly fingerprint: string;
}

/** Queue `qizhi`, control zone. */
export interface QizhiActivities {
  /** Sends `create` at most once; a lost or unclear answer comes back as `unknown`, a clear refusal throws. */
  createJob(input: CreateJobInput): Promise<SubmissionOutcome>;
  /** Returns once the platform answers again; fails with the reason, to be tried again, while it does not. */
  awaitPlatform(): Promise<void>;
  /**
   * What the platform's list shows of a submission whose answer was lost. With `pollSeconds` it fails benignly
   * (`JobUnchanged`) until the job is there; on a surface without a list it says so at once.
   */
  findSubmittedJob(input: FindJobInput): Promise<ListedSubmission>;
  /**
   * Fails benignly (`JobUnchanged`) while the fingerprint is still `since`. A job that the platform goes on not to know
   * comes back as `gone`; whatever else keeps the platform from being asked is tried again.
   */
  awaitJobChange(input: AwaitJobInput): Promise<SeenJob>;
  /** Asks to stop and returns once the platform shows a terminal status (or no longer knows the job). */
  stopJob(input: JobInput): Promise<JobObservation>;
}
