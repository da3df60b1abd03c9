import type { JobOwner, OrphanAction, PlatformSight } from '../../domain/orphan.ts';
import type { JobKey } from '../attempts/interface.ts';

/** What stands on the shared disk about an attempt; it changes when a job claims it, beats or ends. */
export interface AttemptSight extends JobKey {
  /**
   * `open`: written down, and neither ended nor taken back. `settled`: the janitor has judged exactly what stands there.
   * `missing`: there is no attempt in the folder, or no folder.
   */
  readonly status: 'open' | 'finished' | 'revoked' | 'settled' | 'missing';
  readonly claimedBy: string | null;
  /** The heartbeat as the job wrote it: only whether it changes is asked, since the clocks of two zones differ. */
  readonly beat: string | null;
  /** The janitor asked its job by the disk to end, long enough ago for it to have noticed. */
  readonly asked: boolean;
}

export interface ListAttemptsInput {
  /** Where the last page ended; null for the first. */
  readonly after: string | null;
  /** A page ends with the experiment in which so many open attempts were reached. */
  readonly limit: number;
}

export interface AttemptsPage {
  readonly attempts: readonly AttemptSight[];
  /** How many were passed over because they have ended, were taken back, or are settled. */
  readonly passed: number;
  /** Null when this was the last page. */
  readonly next: string | null;
}

export interface LookInput extends JobKey {
  /** By which a record is found whose attempt's folder is gone. */
  readonly jobId: string | null;
}

/** What is written down about one job. */
export interface DecisionRecord extends LookInput {
  readonly action: OrphanAction;
  readonly by: 'platform' | 'disk' | null;
  readonly why: string;
  readonly outcome: 'decided' | 'done' | 'failed';
  /** What stood on the disk when the attempt was judged for good; null while it is to be looked at again. */
  readonly settled: { readonly claimedBy: string | null; readonly beat: string | null } | null;
}

export interface RecordInput {
  /** Which visit of the janitor: a repeat writes the same entry again. */
  readonly visit: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly records: readonly DecisionRecord[];
}

/** Queue `networked`: the janitor's looks at the shared disk. */
export interface JanitorDiskActivities {
  /** The attempts that have not ended, a page at a time; those that have are passed over by one look at a name. */
  listOpenAttempts(input: ListAttemptsInput): Promise<AttemptsPage>;
  /** The attempts as they stand now, in the order of the input. */
  lookAtAttempts(input: readonly LookInput[]): Promise<readonly AttemptSight[]>;
  /**
   * Writes `janitor.json` into the attempts' folders, and below `janitor/` of the shared disk where the folder is gone:
   * what was done, when and why.
   */
  recordDecisions(input: RecordInput): Promise<void>;
}

export interface OwnerInput extends JobKey {
  /** A job has claimed the attempt, so its workflow must have run. */
  readonly claimed: boolean;
}

export interface Ownership {
  readonly owner: JobOwner;
  /** Jobs that the attempt's workflow recorded as created by it. */
  readonly jobIds: readonly string[];
}

export interface ClosedJobsInput {
  /** ISO 8601, UTC: workflows that ended before are passed over. */
  readonly since: string;
  /** Where the last page ended; null for the first. */
  readonly after: string | null;
  readonly limit: number;
}

export interface ClosedJobsPage {
  readonly keys: readonly JobKey[];
  /** Null when this was the last page. */
  readonly next: string | null;
}

/** Queue `qizhi`, control zone: what Temporal and the platform know of jobs. */
export interface JanitorControlActivities {
  /** Who owns the attempts' jobs, in the order of the input. */
  findOwners(input: readonly OwnerInput[]): Promise<readonly Ownership[]>;
  /** Attempts whose workflow has ended otherwise than well after it created a job. */
  listClosedJobs(input: ClosedJobsInput): Promise<ClosedJobsPage>;
  /** What the platform says of each job, in the order of the input; not being able to ask is an answer, too. */
  observeJobs(input: { readonly jobIds: readonly string[] }): Promise<readonly PlatformSight[]>;
}
