import type { JobRecords } from '../../domain/job.ts';
import type { TaskNote } from '../../domain/task-note.ts';

export interface AttemptRun {
  readonly seed: number;
  readonly runId: string;
}

export interface WriteAttemptInput {
  readonly experimentId: string;
  readonly attempt: number;
  readonly headSha: string;
  readonly environmentDigest: string;
  readonly note: TaskNote;
  readonly runs: readonly AttemptRun[];
}

export interface PreparedJob {
  readonly seed: number;
  /** What the platform is asked to run: `exec sh <attempt as the job sees it>/start.sh`. */
  readonly command: string;
}

export interface JobKey {
  readonly experimentId: string;
  readonly attempt: number;
  readonly seed: number;
}

export interface AwaitRecordsInput extends JobKey {
  /** Fingerprint of the records seen last (`nothingRecorded` before any were); null to get a look at once. */
  readonly since: string | null;
  readonly pollSeconds: number;
}

export interface SeenRecords {
  readonly records: JobRecords;
  /** Changes when claim, exit, duplicates or silence change; a heartbeat alone does not change it. */
  readonly fingerprint: string;
}

/** Fingerprint of an attempt in which no job has written anything yet. */
export type NothingRecorded = 'nothing';

/** Queue `networked`: an attempt's files on the shared disk. */
export interface AttemptsActivities {
  /** `attempt.json` and `start.sh` for each seed; the same input again writes the same files, another input is refused. */
  writeAttempt(input: WriteAttemptInput): Promise<readonly PreparedJob[]>;
  /**
   * Takes the claim of an attempt that no job has claimed, so that a late job of a lost submission can never train.
   * Says who holds the claim now: `null` when it is us, the job's id when a job was first.
   */
  revokeAttempt(input: JobKey): Promise<{ readonly claimedBy: string | null }>;
  /** Asks the job by the shared disk to stop, for when the platform cannot be asked or does not know it. */
  requestStop(input: JobKey): Promise<void>;
  /** Fails benignly (`RecordsUnchanged`) while the fingerprint is still `since`. */
  awaitRecordsChange(input: AwaitRecordsInput): Promise<SeenRecords>;
}
