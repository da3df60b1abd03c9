import { branchName, commentMarkerStart, qualityContext } from '../../domain/ids.ts';

/** Which experiments a delivery may be about: by the branches it names, or by its pull request. */
export interface Targets {
  readonly experimentIds: readonly string[];
  /** `owner/name#n`, when the payload names no branch. */
  readonly pullRequest: string | null;
}

/** The events whose payloads say of which branch they are. */
const byBranch = new Map<string, (payload: unknown) => readonly unknown[]>(
  Object.entries({
    pull_request: headOfPullRequest,
    pull_request_review: headOfPullRequest,
    pull_request_review_comment: headOfPullRequest,
    pull_request_review_thread: headOfPullRequest,
    check_run: (payload: unknown) =>
      branchesOfCheck(at(payload, 'check_run', 'check_suite'), at(payload, 'check_run')),
    check_suite: (payload: unknown) =>
      branchesOfCheck(at(payload, 'check_suite'), at(payload, 'check_suite')),
    workflow_run: (payload: unknown) =>
      branchesOfCheck(at(payload, 'workflow_run'), at(payload, 'workflow_run')),
    status: (payload: unknown) => listAt(payload, 'branches').map((branch) => at(branch, 'name')),
    push: (payload: unknown) => {
      const ref = at(payload, 'ref');
      return typeof ref === 'string' ? [ref.replace(/^refs\/heads\//, '')] : [];
    },
  }),
);

/** Names of the events that can be about an experiment; any other is answered and ignored. */
export const knownEvents: ReadonlySet<string> = new Set([...byBranch.keys(), 'issue_comment', 'ping']);

const nobody: Targets = { experimentIds: [], pullRequest: null };

/** Pure; a payload of any shape gives an answer. */
export function findTargets(event: string, payload: unknown): Targets {
  if (isOwnDoing(event, payload)) return nobody;
  if (event === 'issue_comment') return { experimentIds: [], pullRequest: commentedPullRequest(payload) };
  const branches = byBranch.get(event)?.(payload) ?? [];
  const ids = branches.flatMap((branch) => experimentIdOf(branch) ?? []);
  return { experimentIds: [...new Set(ids)], pullRequest: null };
}

/** What Hephaestus itself just wrote is no reason to look again. A forged marker hides only its own comment. */
function isOwnDoing(event: string, payload: unknown): boolean {
  if (event === 'status') return at(payload, 'context') === qualityContext;
  const body = at(payload, 'comment', 'body');
  return event === 'issue_comment' && typeof body === 'string' && body.startsWith(commentMarkerStart);
}

/** Somebody else's copy of the repository may have a branch of the same name: it has no say. */
function headOfPullRequest(payload: unknown): readonly unknown[] {
  const head = at(payload, 'pull_request', 'head');
  const isFork = at(head, 'repo', 'full_name') !== at(payload, 'repository', 'full_name');
  return isFork ? [] : [at(head, 'ref')];
}

/** GitHub leaves `pull_requests` empty for forks, and `head_branch` null now and then. */
function branchesOfCheck(suite: unknown, check: unknown): readonly unknown[] {
  return [at(suite, 'head_branch'), ...listAt(check, 'pull_requests').map((pull) => at(pull, 'head', 'ref'))];
}

function commentedPullRequest(payload: unknown): string | null {
  const repository = at(payload, 'repository', 'full_name');
  const number = at(payload, 'issue', 'number');
  const isPullRequest = typeof at(payload, 'issue', 'pull_request') === 'object';
  return isPullRequest && typeof repository === 'string' && Number.isSafeInteger(number)
    ? `${repository}#${String(number)}`
    : null;
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
    if (typeof inner !== 'object' || inner === null) return undefined;
    inner = (inner as Record<string, unknown>)[key];
  }
  return inner ?? undefined;
}

function listAt(value: unknown, key: string): readonly unknown[] {
  const list = at(value, key);
  return Array.isArray(list) ? list : [];
}
