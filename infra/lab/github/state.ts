import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import writeFileAtomic from 'write-file-atomic';

import { commitInGroups } from './commit-in-groups.ts';

type AccountType = 'User' | 'Bot' | 'Organization';
export type Access = 'read' | 'write' | 'admin';

export interface LabUser {
  id: number;
  login: string;
  type: AccountType;
  /** What it may do in every repository: the bot of an App that is installed on all of them. */
  everywhere?: Access;
}

export interface LabToken {
  token: string;
  login: string;
  /** A push token can only be used by git. */
  use: 'api' | 'push';
  /** Classic when it is not there. */
  kind?: 'classic' | 'fine-grained' | 'installation';
  /** Of a classic token, as GitHub names them; `repo` and `workflow` when it is not there. */
  scopes?: string[];
  /** Of the other kinds; everything that the user may do when it is not there. */
  permissions?: Record<string, 'read' | 'write'>;
  /** Afterwards it opens nothing any more. */
  expiresAt?: string;
}

/** A GitHub App with its one installation, on every repository. */
export interface LabApp {
  id: number;
  installationId: number;
  slug: string;
  privateKey: string;
  permissions: Record<string, 'read' | 'write'>;
}

export interface LabReview {
  id: number;
  author: string;
  state: 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED' | 'DISMISSED';
  body: string;
  commitId: string;
  submittedAt: string;
}

export interface LabThread {
  id: string;
  reviewId: number;
  path: string;
  /** null once the line has changed. */
  line: number | null;
  originalLine: number;
  commitId: string;
  resolved: boolean;
  comments: { id: number; author: string; body: string; createdAt: string }[];
}

export interface LabPull {
  id: number;
  number: number;
  title: string;
  body: string;
  author: string;
  /** Of a fork, whose branch is the head; the repository itself when it is not there. */
  headRepositoryId?: number;
  headRef: string;
  headSha: string;
  baseRef: string;
  baseSha: string;
  state: 'open' | 'closed';
  draft: boolean;
  createdAt: string;
  updatedAt: string;
  closedAt: string | null;
  mergedAt: string | null;
  mergedBy: string | null;
  mergeCommitSha: string | null;
  requestedReviewers: string[];
  labels?: string[];
  /** Of its diff, as GitHub names the numbers. */
  size?: { commits: number; additions: number; deletions: number; changed_files: number };
  /** null until it is computed; asking for it starts that. */
  mergeable: boolean | null;
  reviews: LabReview[];
  threads: LabThread[];
}

export interface LabComment {
  id: number;
  number: number;
  author: string;
  body: string;
  createdAt: string;
  updatedAt: string;
  reactions: { id: number; content: string; author: string; createdAt: string }[];
}

export interface LabStatus {
  id: number;
  sha: string;
  state: 'error' | 'failure' | 'pending' | 'success';
  context: string;
  description: string | null;
  targetUrl: string | null;
  creator: string;
  createdAt: string;
}

export interface LabCheckRun {
  id: number;
  sha: string;
  name: string;
  status: string;
  conclusion: string | null;
  at: string;
  completedAt?: string | null;
  /** Slug of the App that wrote it; Actions when it is not there. */
  app?: string;
  externalId?: string;
  detailsUrl?: string | null;
  output?: { title: string | null; summary: string | null; text: string | null };
}

/** What a protected branch asks before a merge. */
export interface LabProtection {
  /** Approving reviews of people who may write. */
  requiredReviews: number;
  /** Names of checks or contexts of statuses that must be green. */
  requiredChecks: string[];
  /** The head must hold the newest base. */
  strict: boolean;
  /** Merges only through the queue. */
  mergeQueue: boolean;
}

export interface LabLabel {
  id: number;
  name: string;
  color: string;
  description: string | null;
}

/** A picture or another file that was uploaded for a comment. */
export interface LabAsset {
  id: string;
  name: string;
  contentType: string;
  repositoryId: number;
  author: string;
}

export interface LabDelivery {
  id: number;
  guid: string;
  event: string;
  action: string | null;
  at: string;
  redelivery: boolean;
  /** 0 when nobody answered. */
  statusCode: number;
  payload: string;
}

export interface LabHook {
  id: number;
  url: string;
  secret: string;
  events: string[];
  active: boolean;
  deliveries: LabDelivery[];
}

export interface LabRepository {
  id: number;
  owner: string;
  name: string;
  private: boolean;
  defaultBranch: string;
  createdAt: string;
  collaborators: Record<string, Access>;
  nextNumber: number;
  pulls: LabPull[];
  comments: LabComment[];
  statuses: LabStatus[];
  checkRuns: LabCheckRun[];
  hooks: LabHook[];
  archived?: boolean;
  /** Id of the repository that this is a fork of. */
  forkOf?: number;
  /** owner/name that it had before. */
  formerNames?: string[];
  /** By branch. */
  protection?: Record<string, LabProtection>;
  labels?: LabLabel[];
  mergeMethods?: ('merge' | 'squash' | 'rebase')[];
}

export interface LabState {
  nextId: number;
  webhookSecret: string;
  users: LabUser[];
  tokens: LabToken[];
  repositories: LabRepository[];
  app?: LabApp;
  assets?: LabAsset[];
}

export interface StateFile {
  readonly state: LabState;
  /** Says that the state changed; `saved` writes it. */
  readonly save: () => void;
  /**
   * Waits until everything that was to be saved is written, so that a stand-in that is killed goes on from what it said.
   * Throws what the disk says.
   */
  readonly saved: () => Promise<void>;
}

/** Opens the state kept in `directory`, or begins with `initial`. */
export function openState(directory: string, initial: () => LabState): StateFile {
  mkdirSync(join(directory, 'repositories'), { recursive: true });
  const file = join(directory, 'state.json');
  const state = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as LabState) : initial();
  let written = '';
  const write = async (): Promise<void> => {
    const text = JSON.stringify(state);
    if (text === written) return;
    // Outlasting a kill is enough: nobody's work is kept here.
    await writeFileAtomic(file, text, { mode: 0o600, fsync: false });
    written = text;
  };
  const { ask, settled } = commitInGroups(write);
  ask();
  return { state, save: ask, saved: settled };
}
