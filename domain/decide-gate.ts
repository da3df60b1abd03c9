import type { PullRequestSnapshot, Review, ReviewThread } from './pull-request.ts';

/** One of Hephaestus's own checks: a line with its evidence. */
export interface OwnCheck {
  readonly name: string;
  readonly passed: boolean;
  readonly detail: string;
  /** A failure that the coding agent can mend goes back to it; any other blocks. */
  readonly mendable: boolean;
}

export interface GatePolicy {
  /** The head that the gate is about; anything said of another head does not count. */
  readonly headSha: string;
  readonly requiredChecks: readonly string[];
  readonly requireCopilot: boolean;
  /** True once the deadline for Copilot's review has passed. */
  readonly reviewOverdue: boolean;
  readonly repairsLeft: number;
  readonly ownChecks: readonly OwnCheck[];
}

/** A finding that can go back to the coding agent. */
export interface Finding {
  readonly source: string;
  readonly path: string | null;
  readonly line: number | null;
  readonly text: string;
}

export type GateAnswer =
  | { readonly status: 'wait'; readonly reasons: readonly string[] }
  | { readonly status: 'repair'; readonly reasons: readonly string[]; readonly findings: readonly Finding[] }
  | { readonly status: 'pass'; readonly reasons: readonly string[] }
  | { readonly status: 'block'; readonly reasons: readonly string[] };

/**
 * The quality gate: what the pull request says of exactly this head, against the policy.
 * Copilot never approves and never blocks on GitHub; what counts is a review of this commit and its open threads.
 */
export function decideGate(snapshot: PullRequestSnapshot, policy: GatePolicy): GateAnswer {
  if (snapshot.state === 'closed') return block('the pull request was closed by hand');
  if (snapshot.state === 'merged') return block('the pull request was merged by hand');
  if (snapshot.headSha !== policy.headSha) {
    return block(`the head moved to ${short(snapshot.headSha)}, the gate is about ${short(policy.headSha)}`);
  }
  const failedOwn = policy.ownChecks.filter((check) => !check.passed);
  const hopeless = failedOwn.filter((check) => !check.mendable);
  if (hopeless.length > 0) return block(...hopeless.map((check) => `${check.name}: ${check.detail}`));

  const findings = [
    ...failedOwn.map((check): Finding => ({
      source: check.name,
      path: null,
      line: null,
      text: check.detail,
    })),
    ...findingsOfChecks(snapshot, policy),
    ...findingsOfReviews(snapshot),
  ];
  const waiting = [...waitingForChecks(snapshot, policy), ...waitingForCopilot(snapshot, policy)];
  if (waiting.length > 0) return { status: 'wait', reasons: waiting };
  if (findings.length === 0) return { status: 'pass', reasons: passReasons(snapshot, policy) };
  const reasons = findings.map(describeFinding);
  if (policy.repairsLeft > 0) return { status: 'repair', reasons, findings };
  return block('no repair is left', ...reasons);
}

function findingsOfChecks(snapshot: PullRequestSnapshot, policy: GatePolicy): Finding[] {
  return snapshot.checks
    .filter((check) => check.state === 'failure' && policy.requiredChecks.includes(check.name))
    .map((check) => ({
      source: `check ${check.name}`,
      path: null,
      line: null,
      text: `failed, see ${check.url ?? 'GitHub'}`,
    }));
}

function findingsOfReviews(snapshot: PullRequestSnapshot): Finding[] {
  const threads = snapshot.threads.map((thread: ReviewThread): Finding => ({
    source: thread.isCopilot ? 'Copilot' : thread.author,
    path: thread.path,
    line: thread.line,
    text: thread.body,
  }));
  const changesRequested = lastWords(snapshot.reviews)
    .filter((review) => review.state === 'CHANGES_REQUESTED' && review.commitId === snapshot.headSha)
    .map((review): Finding => ({ source: review.author, path: null, line: null, text: review.body }));
  return [...threads, ...changesRequested];
}

/** Who approves after asking for changes has taken that back; a comment takes nothing back. Oldest first. */
function lastWords(reviews: readonly Review[]): Review[] {
  const decisive = reviews.filter(({ state }) => state !== 'COMMENTED' && state !== 'PENDING');
  return [...new Map(decisive.map((review) => [review.author, review])).values()];
}

/** Several of one name (a status and a check run, say) must all have come in. */
function waitingForChecks(snapshot: PullRequestSnapshot, policy: GatePolicy): string[] {
  return policy.requiredChecks
    .filter((name) => {
      const named = snapshot.checks.filter((check) => check.name === name);
      return named.length === 0 || named.some((check) => check.state === 'pending');
    })
    .map((name) => `check ${name}`);
}

function waitingForCopilot(snapshot: PullRequestSnapshot, policy: GatePolicy): string[] {
  if (!policy.requireCopilot || policy.reviewOverdue || reviewedByCopilot(snapshot)) return [];
  return [`Copilot's review of ${short(snapshot.headSha)}`];
}

function reviewedByCopilot(snapshot: PullRequestSnapshot): boolean {
  return snapshot.reviews.some((review) => review.isCopilot && review.commitId === snapshot.headSha);
}

function passReasons(snapshot: PullRequestSnapshot, policy: GatePolicy): string[] {
  const reasons = policy.ownChecks.map((check) => `${check.name}: ${check.detail}`);
  if (reviewedByCopilot(snapshot)) reasons.push('Copilot reviewed this commit and left no open thread');
  else if (policy.requireCopilot)
    reasons.push("Copilot's review did not come in time: the gate passed without it");
  return [...reasons, ...policy.requiredChecks.map((name) => `check ${name} is green`)];
}

function describeFinding(finding: Finding): string {
  const place =
    finding.path === null ? '' : ` at ${finding.path}${finding.line === null ? '' : `:${finding.line}`}`;
  return `${finding.source}${place}: ${finding.text.split('\n', 1)[0] ?? ''}`;
}

function block(...reasons: string[]): GateAnswer {
  return { status: 'block', reasons };
}

function short(sha: string): string {
  return sha.slice(0, 7);
}
