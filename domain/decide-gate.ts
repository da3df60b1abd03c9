import type { Check, PullRequestSnapshot, Review, ReviewThread } from './pull-request.ts';

/** One of Hephaestus's own checks: a line with its evidence. */
export interface OwnCheck {
  readonly name: string;
  readonly passed: boolean;
  readonly detail: string;
  /** A failure that the coding agent can mend goes back to it; any other blocks. */
  readonly mendable: boolean;
  /** Where its evidence can be looked at; null when it is in the detail. */
  readonly url: string | null;
}

export interface GatePolicy {
  /** The head that the gate is about; anything said of another head does not count. */
  readonly headSha: string;
  /** Beside those that the base branch requires. */
  readonly requiredChecks: readonly string[];
  readonly requireCopilot: boolean;
  /** True once the deadline for Copilot's review has passed. */
  readonly reviewOverdue: boolean;
  readonly repairsLeft: number;
  readonly ownChecks: readonly OwnCheck[];
  /** Where the task note lies in the repository. */
  readonly taskNotePath: string;
  /** git's id of the task note with which the experiment began; null when it is not known. */
  readonly taskNoteBlob: string | null;
}

/** A finding that can go back to the coding agent. */
export interface Finding {
  readonly source: string;
  readonly path: string | null;
  readonly line: number | null;
  readonly text: string;
}

/** One thing that the gate looked at, for people. */
export interface GateLine {
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'waiting';
  readonly detail: string;
  readonly url: string | null;
}

interface GateVerdict {
  readonly reasons: readonly string[];
  /** Everything that was looked at, whatever came of it. */
  readonly lines?: readonly GateLine[];
}

export type GateAnswer =
  | ({ readonly status: 'wait' } & GateVerdict)
  | ({ readonly status: 'repair'; readonly findings: readonly Finding[] } & GateVerdict)
  | ({ readonly status: 'pass' } & GateVerdict)
  | ({ readonly status: 'block' } & GateVerdict);

/**
 * The quality gate: what the pull request says of exactly this head, against the policy.
 * Copilot never approves and never blocks on GitHub; what counts is a review of this commit and its open threads.
 */
export function decideGate(snapshot: PullRequestSnapshot, policy: GatePolicy): GateAnswer {
  const lines = gateLines(snapshot, policy);
  const obstacles = obstaclesOf(snapshot, policy);
  if (obstacles.length > 0) return { status: 'block', reasons: obstacles, lines };
  const waiting = [...waitingForChecks(snapshot, policy), ...waitingForCopilot(snapshot, policy)];
  if (waiting.length > 0) return { status: 'wait', reasons: waiting, lines };
  const findings = findingsOf(snapshot, policy);
  if (findings.length === 0) return { status: 'pass', reasons: passReasons(snapshot, policy), lines };
  const reasons = findings.map(describeFinding);
  if (policy.repairsLeft > 0) return { status: 'repair', reasons, findings, lines };
  return { status: 'block', reasons: ['no repair is left', ...reasons], lines };
}

/** What neither time nor the coding agent can take away: only a person can. */
function obstaclesOf(snapshot: PullRequestSnapshot, policy: GatePolicy): string[] {
  if (snapshot.state === 'closed') return ['the pull request was closed by hand: reopen it, or say stop'];
  if (snapshot.state === 'merged') return ['the pull request was merged by hand: say stop'];
  const moved = snapshot.headSha !== policy.headSha;
  const hopeless = policy.ownChecks.filter((check) => !check.passed && !check.mendable);
  return [
    ...(moved
      ? [
          `the head moved to ${short(snapshot.headSha)}, the gate is about ${short(policy.headSha)}: put the branch back to that commit, or say stop`,
        ]
      : []),
    ...(noteChanged(snapshot, policy)
      ? [
          `the task note ${policy.taskNotePath} in the pull request is not the one that the experiment began with: put it back, or say stop and start again with the new one`,
        ]
      : []),
    ...(moved ? [] : hopeless.map((check) => `${check.name}: ${check.detail}`)),
  ];
}

function noteChanged({ taskNoteBlob }: PullRequestSnapshot, policy: GatePolicy): boolean {
  return taskNoteBlob !== undefined && policy.taskNoteBlob !== null && taskNoteBlob !== policy.taskNoteBlob;
}

function findingsOf(snapshot: PullRequestSnapshot, policy: GatePolicy): Finding[] {
  const own = policy.ownChecks
    .filter((check) => !check.passed)
    .map((check): Finding => ({ source: check.name, path: null, line: null, text: check.detail }));
  return [...own, ...findingsOfChecks(snapshot, policy), ...findingsOfReviews(snapshot)];
}

/** By the policy and by the base branch, each once. */
function requiredOf({ required = [] }: PullRequestSnapshot, policy: GatePolicy): string[] {
  return [...new Set([...policy.requiredChecks, ...required])];
}

function findingsOfChecks(snapshot: PullRequestSnapshot, policy: GatePolicy): Finding[] {
  const required = requiredOf(snapshot, policy);
  return snapshot.checks
    .filter((check) => check.state === 'failure' && required.includes(check.name))
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

function waitingForChecks(snapshot: PullRequestSnapshot, policy: GatePolicy): string[] {
  return requiredOf(snapshot, policy)
    .filter((name) => stateOf(checksNamed(snapshot, name)) === 'waiting')
    .map((name) => `check ${name}`);
}

function checksNamed({ checks }: PullRequestSnapshot, name: string): Check[] {
  return checks.filter((check) => check.name === name);
}

/** Several of one name (a status and a check run, say) must all have come in. */
function stateOf(named: readonly Check[]): GateLine['state'] {
  if (named.length === 0 || named.some(({ state }) => state === 'pending')) return 'waiting';
  return named.some(({ state }) => state === 'failure') ? 'failed' : 'passed';
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
  return [...reasons, ...requiredOf(snapshot, policy).map((name) => `check ${name} is green`)];
}

function gateLines(snapshot: PullRequestSnapshot, policy: GatePolicy): GateLine[] {
  const own = policy.ownChecks.map(({ name, passed, detail, url }): GateLine => ({
    name,
    state: passed ? 'passed' : 'failed',
    detail,
    url,
  }));
  const checks = requiredOf(snapshot, policy).map((name): GateLine => {
    const named = checksNamed(snapshot, name);
    const detail = named.length === 0 ? 'has not come' : named.map(({ state }) => state).join(', ');
    return { name: `check ${name}`, state: stateOf(named), detail, url: named[0]?.url ?? null };
  });
  return [...own, ...noteLine(snapshot, policy), ...checks, ...reviewLines(snapshot, policy)];
}

function noteLine(snapshot: PullRequestSnapshot, policy: GatePolicy): GateLine[] {
  if (snapshot.taskNoteBlob === undefined || policy.taskNoteBlob === null) return [];
  const changed = noteChanged(snapshot, policy);
  return [
    {
      name: 'task note',
      state: changed ? 'failed' : 'passed',
      detail: changed
        ? `${policy.taskNotePath} is not the one that the experiment began with`
        : `${policy.taskNotePath} is unchanged since the experiment began`,
      url: `${snapshot.url}/files`,
    },
  ];
}

function reviewLines(snapshot: PullRequestSnapshot, policy: GatePolicy): GateLine[] {
  const open = findingsOfReviews(snapshot);
  const reviewed = reviewedByCopilot(snapshot);
  const { url } = snapshot;
  const said = reviewed
    ? `reviewed ${short(snapshot.headSha)}`
    : policy.reviewOverdue
      ? 'did not come in time: the gate goes on without it'
      : `has not reviewed ${short(snapshot.headSha)} yet`;
  const copilot: GateLine = {
    name: "Copilot's review",
    state: reviewed || policy.reviewOverdue ? 'passed' : 'waiting',
    detail: said,
    url,
  };
  return [
    ...(policy.requireCopilot || reviewed ? [copilot] : []),
    {
      name: 'open threads',
      state: open.length === 0 ? 'passed' : 'failed',
      detail: open.length === 0 ? 'none' : open.map(describeFinding).join('; '),
      url,
    },
  ];
}

function describeFinding(finding: Finding): string {
  const place =
    finding.path === null ? '' : ` at ${finding.path}${finding.line === null ? '' : `:${finding.line}`}`;
  return `${finding.source}${place}: ${finding.text.split('\n', 1)[0] ?? ''}`;
}

function short(sha: string): string {
  return sha.slice(0, 7);
}
