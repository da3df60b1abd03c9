/** What the platform's status strings mean to us. The raw string is always kept beside it. */
export type JobState =
  | 'pending'
  | 'queued'
  | 'running'
  | 'stopping'
  | 'succeeded'
  | 'failed'
  | 'stopped'
  | 'queue-out'
  | 'unknown';

/** What the Qizhi API said of a job, and when (ms since the epoch, UTC). */
export interface JobObservation {
  readonly state: JobState;
  /** As it came, for example `job_queuing`. */
  readonly rawStatus: string;
  /** Platform's own reason text (`sub_msg`), '' when none. */
  readonly reason: string;
  readonly runningMs: number;
  /** GPUs granted in total, 0 when the platform does not say. */
  readonly gpuCount: number;
  readonly round: number;
  readonly observedAt: number;
}

/** What the job itself wrote on the shared disk: the second witness. Times are ms since the epoch, UTC. */
export interface JobRecords {
  readonly claim: { readonly jobId: string; readonly host: string; readonly at: number } | null;
  readonly heartbeatAt: number | null;
  readonly exit: {
    readonly code: number;
    readonly signal: string | null;
    readonly startedAt: number;
    readonly endedAt: number;
    /** One plain line when the job refused to train, for example a broken environment. */
    readonly reason: string | null;
  } | null;
  /** Job ids that found the claim taken and left at once. */
  readonly duplicates: readonly string[];
  /** The last lines of output.log. */
  readonly logTail: string;
}

/** What the answer to `create` told us. `unknown` is never read as failed. */
export type SubmissionOutcome =
  | { readonly status: 'created'; readonly jobId: string }
  | { readonly status: 'unknown'; readonly reason: string };

/** How a job ended, as joined from both witnesses. */
export type JobOutcome = 'succeeded' | 'failed' | 'stopped' | 'queue-out';
