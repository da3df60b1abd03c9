import { branchName, commentMarkerStart, qualityContext } from '../../domain/ids.ts';

/** What a delivery may be about. Nothing of it is believed: it says where to look again. */
export interface Targets {
  /** By the branches that it names. */
  readonly experimentIds: readonly string[];
  /** `owner/name#n`, where no branch says it. */
  readonly pullRequests: readonly string[];
  readonly about: 'review' | 'conversation' | 'both';
  /** A person's pull request that may ask for an experiment, when none is there yet. */
  readonly invitation: { readonly repository: string; readonly number: number } | null;
}

interface Head {
  readonly branch: unknown;
  readonly number: unknown;
}

/** The events whose payloads say of which branch they are. */
const byHead = new Map<string, (payload: unknown) => readonly Head[]>(
  Object.entries({
    pull_request: headOfPullRequest,
    pull_request_review: headOfPullRequest,
    pull_request_review_comment: headOfPullRequest,
    pull_request_review_thread: headOfPullRequest,
    check_run: (payload: unknown) =>
      headsOfCheck(at(payload, 'check_run', 'check_suite'), at(payload, 'check_run')),
    check_suite: (payload: unknown) => headsOfCheck(at(payload, 'check_suite'), at(payload, 'check_suite')),
    workflow_run: (payload: unknown) =>
      headsOfCheck(at(payload, 'workflow_run'), at(payload, 'workflow_run')),
    status: (payload: unknown) =>
      listAt(payload, 'branches').map((branch) => ({ branch: at(branch, 'name'), number: undefined })),
    push: (payload: unknown) => {
      const ref = at(payload, 'ref');
      const branch = typeof ref === 'string' ? ref.replace(/^refs\/heads\//, '') : undefined;
      return [{ branch, number: undefined }];
    },
  }),
);

/** Names of the events that can be about an experiment; any other is answered and ignored. */
export const knownEvents: ReadonlySet<string> = new Set([...byHead.keys(), 'issue_comment', 'ping']);

const nobody: Targets = { experimentIds: [], pullRequests: [], about: 'review', invitation: null };

/** Pure; a payload of any shape gives an answer. */
export function findTargets(event: string, payload: unknown): Targets {
  if (isOwnDoing(event, payload)) return nobody;
  const repository = at(payload, 'repository', 'full_name');
  if (event === 'issue_comment') return targetsOfComment(payload, repository);
  const heads = byHead.get(event)?.(payload) ?? [];
  const ids = heads.flatMap(({ branch }) => experimentIdOf(branch) ?? []);
  const others = heads.filter(({ branch }) => branch !== undefined && experimentIdOf(branch) === undefined);
  return {
    experimentIds: [...new Set(ids)],
    pullRequests: [...new Set(others.flatMap(({ number }) => referenceOf(repository, number) ?? []))],
    about: isStateChange(event, payload) ? 'both' : 'review',
    invitation: event === 'pull_request' ? invitationOf(payload, repository, others) : null,
  };
}

/** Only a new comment that may say something is a reason to look: talk would wake every experiment for nothing. */
function targetsOfComment(payload: unknown, repository: unknown): Targets {
  const body = at(payload, 'comment', 'body');
  const speaks = typeof body === 'string' && /^ {0,3}\/hephaestus(?:[ \t]|\r?$)/im.test(body);
  const byBot = at(payload, 'comment', 'user', 'type') === 'Bot';
  const isPullRequest = typeof at(payload, 'issue', 'pull_request') === 'object';
  if (at(payload, 'action') !== 'created' || !speaks || byBot || !isPullRequest || isStranger(payload)) {
    return nobody;
  }
  const reference = referenceOf(repository, at(payload, 'issue', 'number'));
  return { ...nobody, pullRequests: reference === undefined ? [] : [reference], about: 'conversation' };
}

const strangers: readonly unknown[] = ['NONE', 'FIRST_TIMER', 'FIRST_TIME_CONTRIBUTOR', 'MANNEQUIN'];

/** Decides nothing about rights: whoever has them after all is heard by the next poll. A flood fills no history. */
function isStranger(payload: unknown): boolean {
  return strangers.includes(at(payload, 'comment', 'author_association'));
}

/** What Hephaestus itself just wrote is no reason to look again. A forged marker hides only its own comment. */
function isOwnDoing(event: string, payload: unknown): boolean {
  if (event === 'status') return at(payload, 'context') === qualityContext;
  const body = at(payload, 'comment', 'body');
  return event === 'issue_comment' && typeof body === 'string' && body.startsWith(commentMarkerStart);
}

const stateChanges: readonly unknown[] = ['closed', 'reopened'];

function isStateChange(event: string, payload: unknown): boolean {
  return event === 'pull_request' && stateChanges.includes(at(payload, 'action'));
}

/** Somebody else's copy of the repository may have a branch of the same name: it has no say. */
function headOfPullRequest(payload: unknown): readonly Head[] {
  const head = at(payload, 'pull_request', 'head');
  const isFork = at(head, 'repo', 'full_name') !== at(payload, 'repository', 'full_name');
  return isFork ? [] : [{ branch: at(head, 'ref'), number: at(payload, 'pull_request', 'number') }];
}

/** GitHub leaves `pull_requests` empty for forks, and `head_branch` null now and then. */
function headsOfCheck(suite: unknown, check: unknown): readonly Head[] {
  return [
    { branch: at(suite, 'head_branch'), number: undefined },
    ...listAt(check, 'pull_requests').map((pull) => ({
      branch: at(pull, 'head', 'ref'),
      number: at(pull, 'number'),
    })),
  ];
}

const inviting: readonly unknown[] = ['opened', 'reopened', 'ready_for_review', 'synchronize'];

/** `heads` are those of the repository itself, so nothing from a fork gets here. */
function invitationOf(payload: unknown, repository: unknown, heads: readonly Head[]): Targets['invitation'] {
  const number = heads[0]?.number;
  const asks = inviting.includes(at(payload, 'action')) && at(payload, 'pull_request', 'draft') !== true;
  if (!asks || referenceOf(repository, number) === undefined) return null;
  return { repository: String(repository), number: Number(number) };
}

function referenceOf(repository: unknown, number: unknown): string | undefined {
  const isName = typeof repository === 'string' && /^[\w.-]{1,100}\/[\w.-]{1,100}$/.test(repository);
  const isNumber = typeof number === 'number' && Number.isSafeInteger(number) && number > 0;
  return isName && isNumber ? `${repository}#${number}` : undefined;
}

function experimentIdOf(branch: unknown): string | undefined {
  const prefix = branchName('');
  if (typeof branch !== 'string' || !branch.startsWith(prefix)) return undefined;
  const id = branch.slice(prefix.length);
  return /^[a-z0-9-]{3,50}$/.test(id) ? id : undefined;
}

function at(value: unknown, ...path: readonly string[]): unknown {
  let inner = value;
  for (const key of path) {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, key)) return undefined;
    inner = (inner as Record<string, unknown>)[key];
  }
  return inner ?? undefined;
}

function listAt(value: unknown, key: string): readonly unknown[] {
  const list = at(value, key);
  return Array.isArray(list) ? list : [];
}
