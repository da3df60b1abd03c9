import type { Check } from '../../domain/pull-request.ts';
import type { AccessCalls } from './access-calls.ts';
import type { ConversationCalls } from './conversation-calls.ts';
import type { FileCalls } from './file-calls.ts';
import type { GateCalls } from './gate-calls.ts';
import type { ProposalCalls } from './proposal-calls.ts';
import type { Attachment } from './upload-attachment.ts';

export interface GithubUser {
  readonly id: number;
  readonly login: string;
}

export interface PullRequest {
  readonly number: number;
  readonly url: string;
  readonly state: 'open' | 'closed' | 'merged';
  readonly draft: boolean;
  readonly headSha: string;
  readonly headBranch: string;
  /** owner/name of where the head comes from; null when that repository is gone. */
  readonly headRepository: string | null;
  readonly base: string;
  /** owner/name as it is called now, also when the repository was asked for by an older name. */
  readonly baseRepository: string;
  readonly title: string;
  readonly body: string;
  readonly mergeCommitSha: string | null;
  /** null while GitHub is still computing it. */
  readonly mergeable: boolean | null;
  /** As it came, for example `dirty` or `blocked`. */
  readonly mergeableState: string;
  /** Logins whose review is asked for. */
  readonly requestedReviewers: readonly string[];
}

interface PullRequestReview {
  readonly id: number;
  readonly author: string;
  readonly isBot: boolean;
  readonly commitId: string;
  readonly state: 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED' | 'DISMISSED' | 'PENDING';
  readonly body: string;
}

/** A thread that is neither resolved nor outdated, with its first comment. */
export interface OpenThread {
  readonly id: string;
  readonly author: string;
  readonly isBot: boolean;
  readonly path: string;
  readonly line: number | null;
  readonly body: string;
}

export interface IssueComment {
  readonly id: number;
  readonly authorId: number;
  readonly body: string;
  readonly url: string;
  /** ISO 8601, UTC. */
  readonly updatedAt: string;
}

export interface CommitStatus {
  readonly state: 'pending' | 'success' | 'failure' | 'error';
  readonly context: string;
  readonly description: string;
  readonly targetUrl: string;
}

interface NewPullRequest {
  readonly title: string;
  readonly body: string;
  readonly head: string;
  readonly base: string;
  readonly draft?: boolean;
}

/**
 * What the activities need of GitHub. `repository` is always `owner/name`. Every method throws `Failure` with one of the
 * GitHub types; nothing is tried twice here, because Temporal does that.
 */
export interface GithubClient extends AccessCalls, ConversationCalls, FileCalls, GateCalls, ProposalCalls {
  /** Where people look, for example https://github.com */
  readonly serverUrl: string;
  /** As whom it writes: the owner of the token, or the bot of the App. */
  whoAmI(): Promise<GithubUser>;
  /** Throws `RepositoryNotFound`, also for a repository that the token may not see. */
  checkRepository(repository: string): Promise<void>;
  /** Head commit of a branch; throws `BaseBranchNotFound`. */
  branchHead(repository: string, branch: string): Promise<string>;
  /** Paths of the files of a commit. */
  listFiles(repository: string, sha: string): Promise<readonly string[]>;
  /** null when there is none. */
  readReadme(repository: string, ref: string): Promise<string | null>;
  /** Whether a person may push to the repository. */
  mayWrite(repository: string, login: string): Promise<boolean>;

  /** Newest first, of any state. */
  listPullRequestsOf(repository: string, branch: string): Promise<readonly PullRequest[]>;
  createPullRequest(repository: string, pullRequest: NewPullRequest): Promise<PullRequest>;
  getPullRequest(repository: string, number: number): Promise<PullRequest>;
  closePullRequest(repository: string, number: number): Promise<void>;
  requestReviewers(repository: string, number: number, logins: readonly string[]): Promise<void>;
  listReviews(repository: string, number: number): Promise<readonly PullRequestReview[]>;
  listOpenThreads(repository: string, number: number): Promise<readonly OpenThread[]>;
  /** Throws `HeadMoved` when the head is not `headSha`, `NotMergeable` when GitHub refuses for another reason. */
  squashMerge(
    repository: string,
    number: number,
    merge: { readonly headSha: string; readonly title: string; readonly message: string },
  ): Promise<{ readonly sha: string }>;
  /** A branch that is gone already is fine. */
  deleteBranch(repository: string, branch: string): Promise<void>;

  listCheckRuns(repository: string, sha: string): Promise<readonly Check[]>;
  /** The newest of each context. */
  listStatuses(repository: string, sha: string): Promise<readonly CommitStatus[]>;
  createStatus(repository: string, sha: string, status: CommitStatus): Promise<void>;

  /** Oldest first. */
  listComments(repository: string, number: number): Promise<readonly IssueComment[]>;
  createComment(repository: string, number: number, body: string): Promise<IssueComment>;
  updateComment(repository: string, commentId: number, body: string): Promise<IssueComment>;
  deleteComment(repository: string, commentId: number): Promise<void>;

  /**
   * Puts a file on a branch that has no history in common with the code, and makes that branch when it is missing. A
   * file that is there already adds nothing. Returns a commit that holds the file.
   */
  putAsset(repository: string, asset: Asset): Promise<{ readonly commitSha: string }>;
  /** The picture's address, for whoever may see the repository; null where server or credential cannot do that. */
  uploadAttachment(repository: string, attachment: Attachment): Promise<string | null>;
}

export interface Asset {
  readonly branch: string;
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Of the commit. */
  readonly message: string;
}
