import type { CurveLine } from '../../domain/curve-line.ts';
import type { GateLine } from '../../domain/decide-gate.ts';
import type { LiveResults, Results } from '../../domain/evidence.ts';
import type { ExperimentStatus } from '../../domain/experiment.ts';
import type { PullRequestSnapshot } from '../../domain/pull-request.ts';
import type { TaskNote } from '../../domain/task-note.ts';

export interface RepositoryInput {
  readonly repository: string;
  readonly base: string;
}

/** What a planner may know of a repository. */
export interface RepositoryDescription {
  readonly baseSha: string;
  /** Paths on the base branch, at most 500, without the task notes of experiments. */
  readonly files: readonly string[];
  /** README.md, at most 20,000 characters; '' when there is none. */
  readonly readme: string;
  /** Further files that tell how experiments are made in the repository, each at most 20,000 characters. */
  readonly documents?: readonly { readonly path: string; readonly text: string }[];
}

export interface OpenPullRequestInput {
  readonly experimentId: string;
  readonly note: TaskNote;
  readonly body: string;
  readonly headSha: string;
  readonly summary: string;
  readonly environmentDigest: string;
}

export interface PullRequestRef {
  readonly number: number;
  readonly url: string;
  /** False where the repository allows no drafts, or a person marked it ready. */
  readonly draft?: boolean;
  /** False where the credential may not label. */
  readonly labelled?: boolean;
}

export interface ReadyInput {
  readonly repository: string;
  readonly number: number;
}

export interface ReviewRequestInput {
  readonly repository: string;
  readonly number: number;
  readonly headSha: string;
}

export interface AwaitPullRequestInput {
  readonly repository: string;
  readonly number: number;
  /** Where the experiment's task note lies in the repository. */
  readonly taskNotePath: string;
  /** Fingerprint of the snapshot seen last; null to get the first look at once. */
  readonly since: string | null;
  readonly pollSeconds: number;
  /** Since when nothing happened, ms since the epoch: the longer, the less often is looked. */
  readonly quietSince?: number;
}

export interface SeenPullRequest {
  readonly snapshot: PullRequestSnapshot;
  readonly fingerprint: string;
}

export interface QualityInput {
  readonly repository: string;
  readonly headSha: string;
  readonly state: 'pending' | 'success' | 'failure';
  /** At most 140 characters are shown in a list of checks. */
  readonly description: string;
  readonly targetUrl: string;
  /** Shown where a check run can be made. */
  readonly lines?: readonly GateLine[];
}

export interface CurvesInput {
  readonly repository: string;
  readonly experimentId: string;
  readonly title: string;
  readonly metric: TaskNote['metric'];
  readonly results: Results;
}

export interface Picture {
  /** null where there is no place to put it: then its lines stand alone. */
  readonly url: string | null;
  readonly alt: string;
  /** The same for a dark page. */
  readonly darkUrl?: string;
  /** The same for whoever sees no pictures. */
  readonly lines?: readonly CurveLine[];
}

export interface CommentInput {
  readonly repository: string;
  readonly number: number;
  readonly status: ExperimentStatus;
  readonly pictures: readonly Picture[];
  /** What W&B has so far, while jobs train; shown as long as there is no evidence. */
  readonly live?: LiveResults | null;
}

export interface MergeInput {
  readonly repository: string;
  readonly number: number;
  /** The head that the PI was shown: GitHub refuses when it has moved. */
  readonly headSha: string;
  readonly title: string;
  readonly message: string;
  /** Keeps the head under this tag when its branch is removed; null to keep nothing. */
  readonly keepTag?: string | null;
}

export interface CloseInput {
  readonly repository: string;
  readonly number: number;
}

/** Queue `github`, control zone. Every write is found again on a repeat. */
export interface GithubActivities {
  describeRepository(input: RepositoryInput): Promise<RepositoryDescription>;
  openPullRequest(input: OpenPullRequestInput): Promise<PullRequestRef>;
  /** The draft becomes ready for review, once the gate has passed. */
  markReady(input: ReadyInput): Promise<void>;
  requestReview(input: ReviewRequestInput): Promise<void>;
  /** Fails benignly (`GateUnchanged`) while the fingerprint is still `since`. */
  awaitPullRequestChange(input: AwaitPullRequestInput): Promise<SeenPullRequest>;
  publishQuality(input: QualityInput): Promise<void>;
  uploadCurves(input: CurvesInput): Promise<Picture>;
  /** The one sticky comment, edited in place. `shownAt`: since when it reads so, ISO 8601, by GitHub's clock. */
  updateComment(input: CommentInput): Promise<{ readonly url: string; readonly shownAt: string }>;
  mergePullRequest(input: MergeInput): Promise<{ readonly mergeSha: string }>;
  /** Closes without merging; the branch stays. */
  closePullRequest(input: CloseInput): Promise<void>;
}
