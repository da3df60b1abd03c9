/** One review by anybody, as GitHub tells it. */
export interface Review {
  readonly author: string;
  readonly isBot: boolean;
  readonly isCopilot: boolean;
  readonly commitId: string;
  readonly state: 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED' | 'DISMISSED' | 'PENDING';
  readonly body: string;
}

/** A review thread that is not resolved and not outdated. */
export interface ReviewThread {
  readonly id: string;
  readonly author: string;
  readonly isCopilot: boolean;
  readonly path: string;
  readonly line: number | null;
  readonly body: string;
}

/** A check run or a commit status on the head, the two told alike. */
export interface Check {
  readonly name: string;
  readonly state: 'pending' | 'success' | 'failure';
  readonly url: string | null;
}

/** The truth about a pull request at one moment, read in one go. */
export interface PullRequestSnapshot {
  readonly number: number;
  readonly url: string;
  readonly state: 'open' | 'closed' | 'merged';
  readonly draft: boolean;
  readonly headSha: string;
  readonly mergeCommitSha: string | null;
  readonly reviews: readonly Review[];
  readonly threads: readonly ReviewThread[];
  /** Checks and statuses of `headSha`, without Hephaestus's own `hephaestus/quality`. */
  readonly checks: readonly Check[];
  readonly copilotRequested: boolean;
  /** Checks and statuses without which the base branch takes no merge, by its protection and rules. */
  readonly required?: readonly string[];
  /** git's id of the experiment's task note at `headSha`; null when it is not there. */
  readonly taskNoteBlob?: string | null;
}
