/** What the platform's status strings mean to us. The raw string is always kept beside it. */
export type JobState =
  | 'pending'
  | 'queued'
  | 'running'
  /** Between two rounds: the platform starts the whole job again under its own id. */
  | 'restarting'
  | 'stopping'
  | 'succeeded'
  | 'failed'
  | 'stopped'
  | 'queue-out'
  /** The platform could not create it, or its check of the nodes failed: nothing was run. */
  | 'not-started'
  /** The platform does not know the job (any more), or shows it to somebody else only. */
  | 'gone'
  | 'unknown';

/** What the Qizhi API said of a job, and when (ms since the epoch, UTC). */
export interface JobObservation {
  readonly jobId: string;
  readonly state: JobState;
  /** As it came, for example `job_queuing`. */
  readonly rawStatus: string;
  /** Platform's own words: the newest event where they can be had, else `sub_msg`; '' when none. */
  readonly reason: string;
  readonly runningMs: number;
  /** GPUs granted in total, 0 when the platform does not say. */
  readonly gpuCount: number;
  readonly round: number;
  /** The process has ended, but the platform still holds the GPUs for somebody to look around. */
  readonly reserving: boolean;
  /** The platform told that it took the job off its nodes (events `Preempted`, `Evict`). */
  readonly evicted: boolean;
  /** How long it has been in the queue without any change, ms; 0 when it is not in a queue. */
  readonly queuedMs: number;
  readonly observedAt: number;
}

/** How a job's own process ended, as it wrote it down itself. Times are ms since the epoch, by the node's clock. */
export interface JobExit {
  readonly code: number;
  readonly signal: string | null;
  readonly startedAt: number;
  readonly endedAt: number;
  /** One plain line when the job refused to train or was told to stop, for example a broken environment. */
  readonly reason: string | null;
  /** Highest resident memory of all of its processes together, bytes; null where the node could not tell. */
  readonly peakMemoryBytes: number | null;
  /** GPUs of all nodes, times seconds, with those of the rounds before this one; null where they could not be told. */
  readonly gpuSeconds: number | null;
}

/** One time that a job found the attempt claimed by another and left at once, on one node. Times are ms since the epoch, by its node's clock. */
export interface DuplicateJob {
  readonly jobId: string;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** What the job itself wrote on the shared disk: the second witness. Times are ms since the epoch, UTC. */
export interface JobRecords {
  readonly claim: { readonly jobId: string; readonly host: string; readonly at: number } | null;
  readonly heartbeatAt: number | null;
  /** The heartbeat has not moved for longer than a living job lets it, by the reader's own clock. */
  readonly silent: boolean;
  readonly exit: JobExit | null;
  readonly duplicates: readonly DuplicateJob[];
  /** The last lines of output.log. */
  readonly logTail: string;
}

/** What the answer to `create` told us. `unknown` is never read as failed. */
export type SubmissionOutcome =
  | { readonly status: 'created'; readonly jobId: string }
  | { readonly status: 'unknown'; readonly reason: string };

/** What the platform's list shows of a submission: `no-list` where the surface has none. */
export type ListedSubmission =
  | { readonly status: 'found'; readonly jobId: string }
  | { readonly status: 'absent' }
  | { readonly status: 'no-list' };

/** How a job ended, as joined from both witnesses. */
export const jobOutcomes = [
  'succeeded',
  /** The command ended with an error of its own. */
  'failed',
  /** The start script refused to train: the environment or the disk does not work on that node. */
  'refused',
  /** Somebody stopped it on the platform. */
  'stopped',
  /** The platform took it off its nodes and does not start it again. */
  'preempted',
  'time-limit',
  'queue-out',
  /** It ended without ever having begun. */
  'not-started',
  /** It had begun, and then its node, its container or the job itself was gone without a word. */
  'lost',
  /** Another job holds the claim of its attempt. */
  'displaced',
  /** Stopped by Hephaestus: the budget of GPU hours was used up. */
  'budget',
] as const;
export type JobOutcome = (typeof jobOutcomes)[number];
