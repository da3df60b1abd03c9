import type { Lab } from './lab.ts';
import { blockedWords, protectionOf } from './protection.ts';
import type {
  LabCheckRun,
  LabComment,
  LabLabel,
  LabPull,
  LabRepository,
  LabReview,
  LabStatus,
  LabThread,
  LabUser,
} from './state.ts';

/** GitHub's JSON of each thing, as far as programs use it. */
export function userShape(lab: Lab, user: LabUser): object {
  const url = `${lab.url}/users/${user.login}`;
  return {
    login: user.login,
    id: user.id,
    node_id: nodeId('U', user.id),
    avatar_url: `${lab.url}/avatars/${user.id}`,
    gravatar_id: '',
    url,
    html_url: `${lab.url}/${user.login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: user.type,
    site_admin: false,
  };
}

/** What a user is told of itself, and everybody of a user that is asked for by name. */
export function ownUserShape(lab: Lab, user: LabUser): object {
  const nothing = ['name', 'company', 'blog', 'location', 'email', 'hireable', 'bio'];
  return {
    ...userShape(lab, user),
    ...Object.fromEntries(nothing.map((field) => [field, null])),
    public_repos: 0,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
  };
}

export function repositoryShape(lab: Lab, repository: LabRepository): object {
  const fullName = `${repository.owner}/${repository.name}`;
  const methods = repository.mergeMethods ?? ['squash'];
  return {
    id: repository.id,
    node_id: nodeId('R', repository.id),
    name: repository.name,
    full_name: fullName,
    private: repository.private,
    owner: userShape(lab, lab.user(repository.owner)),
    html_url: `${lab.url}/${fullName}`,
    url: `${lab.url}/repos/${fullName}`,
    clone_url: `${lab.url}/${fullName}.git`,
    fork: repository.forkOf !== undefined,
    archived: repository.archived === true,
    disabled: false,
    visibility: repository.private ? 'private' : 'public',
    description: null,
    default_branch: repository.defaultBranch,
    delete_branch_on_merge: false,
    allow_squash_merge: methods.includes('squash'),
    allow_merge_commit: methods.includes('merge'),
    allow_rebase_merge: methods.includes('rebase'),
    created_at: repository.createdAt,
  };
}

/** `whole` as the answer to one pull request; in lists GitHub leaves `merged` and `mergeable` out. */
export function pullShape(lab: Lab, repository: LabRepository, pull: LabPull, whole: boolean): object {
  const path = `${repository.owner}/${repository.name}`;
  const end = (of: LabRepository, ref: string, sha: string) => ({
    label: `${of.owner}:${ref}`,
    ref,
    sha,
    user: userShape(lab, lab.user(of.owner)),
    repo: repositoryShape(lab, of),
  });
  const source = sourceOf(lab, repository, pull);
  const head = source ?? repository;
  return {
    id: pull.id,
    node_id: nodeId('PR', pull.id),
    number: pull.number,
    url: `${lab.url}/repos/${path}/pulls/${pull.number}`,
    html_url: `${lab.url}/${path}/pull/${pull.number}`,
    state: pull.state,
    locked: false,
    title: pull.title,
    body: pull.body === '' ? null : pull.body,
    user: userShape(lab, lab.user(pull.author)),
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    closed_at: pull.closedAt,
    merged_at: pull.mergedAt,
    merge_commit_sha: pull.mergeCommitSha,
    draft: pull.draft,
    author_association: associationOf(repository, pull.author),
    requested_reviewers: pull.requestedReviewers.map((login) => userShape(lab, lab.user(login))),
    requested_teams: [],
    assignees: [],
    assignee: null,
    milestone: null,
    auto_merge: null,
    labels: (pull.labels ?? []).map((name) => labelShape(lab, repository, labelOf(repository, name))),
    head: { ...end(head, pull.headRef, pull.headSha), ...(source === null && { repo: null }) },
    base: end(repository, pull.baseRef, pull.baseSha),
    ...(whole && {
      merged: pull.mergedAt !== null,
      merged_by: pull.mergedBy === null ? null : userShape(lab, lab.user(pull.mergedBy)),
      mergeable: pull.mergedAt === null ? pull.mergeable : null,
      mergeable_state: mergeableState(lab, repository, pull),
    }),
  };
}

/** Where the head is: the repository, one of its forks, or null when that is gone. */
export function sourceOf(
  lab: Lab,
  repository: LabRepository,
  { headRepositoryId }: LabPull,
): LabRepository | null {
  if (headRepositoryId === undefined) return repository;
  return lab.state.repositories.find(({ id }) => id === headRepositoryId) ?? null;
}

function mergeableState(lab: Lab, repository: LabRepository, pull: LabPull): string {
  if (pull.mergeable === null || pull.state === 'closed') return 'unknown';
  if (!pull.mergeable) return 'dirty';
  if (pull.draft) return 'draft';
  if (protectionOf(repository, pull.baseRef)?.mergeQueue === true) return 'blocked';
  if (blockedWords(lab, repository, pull) !== null) return 'blocked';
  return anyFailing(repository, pull) ? 'unstable' : 'clean';
}

function anyFailing({ statuses, checkRuns }: LabRepository, { headSha }: LabPull): boolean {
  const newest = new Map(statuses.filter(({ sha }) => sha === headSha).map((one) => [one.context, one]));
  const runs = checkRuns.filter(({ sha }) => sha === headSha);
  return (
    [...newest.values()].some(({ state }) => state !== 'success') ||
    runs.some(({ conclusion }) => !['success', 'neutral', 'skipped'].includes(conclusion ?? ''))
  );
}

export function labelOf({ labels = [] }: LabRepository, name: string): LabLabel {
  return labels.find((one) => one.name === name) ?? { id: 0, name, color: 'ededed', description: null };
}

export function labelShape(lab: Lab, { owner, name }: LabRepository, label: LabLabel): object {
  return {
    id: label.id,
    node_id: nodeId('LA', label.id),
    url: `${lab.url}/repos/${owner}/${name}/labels/${encodeURIComponent(label.name)}`,
    name: label.name,
    color: label.color,
    default: false,
    description: label.description,
  };
}

export function reviewShape(lab: Lab, repository: LabRepository, pull: LabPull, review: LabReview): object {
  return {
    id: review.id,
    node_id: nodeId('PRR', review.id),
    user: userShape(lab, lab.user(review.author)),
    body: review.body,
    state: review.state,
    commit_id: review.commitId,
    submitted_at: review.submittedAt,
    author_association: associationOf(repository, review.author),
    html_url: `${lab.url}/${repository.owner}/${repository.name}/pull/${pull.number}#pullrequestreview-${review.id}`,
  };
}

export function reviewCommentShape(lab: Lab, thread: LabThread): object[] {
  return thread.comments.map((comment) => ({
    id: comment.id,
    pull_request_review_id: thread.reviewId,
    path: thread.path,
    line: thread.line,
    original_line: thread.originalLine,
    commit_id: thread.commitId,
    body: comment.body,
    user: userShape(lab, lab.user(comment.author)),
    created_at: comment.createdAt,
  }));
}

export function commentShape(lab: Lab, repository: LabRepository, comment: LabComment): object {
  const path = `${repository.owner}/${repository.name}`;
  return {
    id: comment.id,
    node_id: nodeId('IC', comment.id),
    url: `${lab.url}/repos/${path}/issues/comments/${comment.id}`,
    html_url: `${lab.url}/${path}/pull/${comment.number}#issuecomment-${comment.id}`,
    issue_url: `${lab.url}/repos/${path}/issues/${comment.number}`,
    body: comment.body,
    user: userShape(lab, lab.user(comment.author)),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    author_association: associationOf(repository, comment.author),
    performed_via_github_app: null,
    reactions: reactionCounts(`${lab.url}/repos/${path}/issues/comments/${comment.id}/reactions`, comment),
  };
}

const reactionKinds = ['+1', '-1', 'laugh', 'confused', 'heart', 'hooray', 'eyes', 'rocket'];

function reactionCounts(url: string, { reactions }: LabComment): object {
  const count = (kind: string): number => reactions.filter(({ content }) => content === kind).length;
  return {
    url,
    total_count: reactions.length,
    ...Object.fromEntries(reactionKinds.map((kind) => [kind, count(kind)])),
  };
}

export function appShape(lab: Lab, slug: string): object {
  const { app } = lab.state;
  const own = app !== undefined && app.slug === slug;
  const owner = userShape(lab, lab.user('pi'));
  return {
    id: own ? app.id : 15_368,
    node_id: nodeId('A', own ? app.id : 15_368),
    slug,
    name: slug,
    description: null,
    external_url: lab.url,
    html_url: `${lab.url}/apps/${slug}`,
    owner,
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
    permissions: own ? app.permissions : { checks: 'write', metadata: 'read' },
    events: ['pull_request', 'issue_comment'],
  };
}

export function statusShape(lab: Lab, status: LabStatus): object {
  return {
    id: status.id,
    node_id: nodeId('SC', status.id),
    state: status.state,
    context: status.context,
    description: status.description,
    target_url: status.targetUrl,
    creator: userShape(lab, lab.user(status.creator)),
    created_at: status.createdAt,
    updated_at: status.createdAt,
  };
}

export function checkRunShape(lab: Lab, repository: LabRepository, run: LabCheckRun): object {
  const path = `${repository.owner}/${repository.name}`;
  const url = `${lab.url}/repos/${path}/check-runs/${run.id}`;
  const { title = null, summary = null, text = null } = run.output ?? {};
  return {
    id: run.id,
    node_id: nodeId('CR', run.id),
    name: run.name,
    head_sha: run.sha,
    external_id: run.externalId ?? '',
    status: run.status,
    conclusion: run.conclusion,
    url,
    html_url: `${lab.url}/${path}/runs/${run.id}`,
    details_url: run.detailsUrl ?? null,
    started_at: run.at,
    completed_at: run.completedAt ?? (run.status === 'completed' ? run.at : null),
    output: { title, summary, text, annotations_count: 0, annotations_url: `${url}/annotations` },
    check_suite: { id: run.id },
    app: appShape(lab, run.app ?? 'github-actions'),
    pull_requests: [],
  };
}

function associationOf({ owner, collaborators }: LabRepository, login: string): string {
  if (login === owner) return 'OWNER';
  return collaborators[login] === undefined ? 'NONE' : 'COLLABORATOR';
}

export function nodeId(kind: string, id: number): string {
  return `${kind}_${Buffer.from(String(id)).toString('base64url')}`;
}

/** A pull request as the issue that it is as well. */
export function issueShape(lab: Lab, repository: LabRepository, pull: LabPull): object {
  const path = `${repository.owner}/${repository.name}`;
  const url = `${lab.url}/repos/${path}/issues/${pull.number}`;
  const html = `${lab.url}/${path}/pull/${pull.number}`;
  return {
    id: pull.id,
    node_id: nodeId('PR', pull.id),
    number: pull.number,
    title: pull.title,
    state: pull.state,
    locked: false,
    user: userShape(lab, lab.user(pull.author)),
    body: pull.body === '' ? null : pull.body,
    labels: (pull.labels ?? []).map((name) => labelShape(lab, repository, labelOf(repository, name))),
    assignee: null,
    assignees: [],
    milestone: null,
    comments: repository.comments.filter(({ number }) => number === pull.number).length,
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    closed_at: pull.closedAt,
    draft: pull.draft,
    author_association: associationOf(repository, pull.author),
    html_url: html,
    url,
    repository_url: `${lab.url}/repos/${path}`,
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    pull_request: {
      url: `${lab.url}/repos/${path}/pulls/${pull.number}`,
      html_url: html,
      diff_url: `${html}.diff`,
      patch_url: `${html}.patch`,
      merged_at: pull.mergedAt,
    },
  };
}
