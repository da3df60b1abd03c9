import type { Lab } from './lab.ts';
import { nodeId, userShape } from './user-shape.ts';
import type {
  LabCheckRun,
  LabComment,
  LabLabel,
  LabPull,
  LabRepository,
  LabReview,
  LabStatus,
  LabThread,
} from './state.ts';

/** GitHub's JSON of what belongs to a pull request. */
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
  const path = `${repository.owner}/${repository.name}`;
  const html = `${lab.url}/${path}/pull/${pull.number}`;
  const url = `${lab.url}/repos/${path}/pulls/${pull.number}`;
  return {
    id: review.id,
    node_id: nodeId('PRR', review.id),
    user: userShape(lab, lab.user(review.author)),
    body: review.body,
    state: review.state,
    commit_id: review.commitId,
    submitted_at: review.submittedAt,
    author_association: associationOf(repository, review.author),
    html_url: `${html}#pullrequestreview-${review.id}`,
    pull_request_url: url,
    _links: { html: { href: html }, pull_request: { href: url } },
  };
}

export function reviewCommentShape(
  lab: Lab,
  repository: LabRepository,
  { number }: LabPull,
  thread: LabThread,
): object[] {
  const path = `${repository.owner}/${repository.name}`;
  return thread.comments.map((comment) => {
    const url = `${lab.url}/repos/${path}/pulls/comments/${comment.id}`;
    const html = `${lab.url}/${path}/pull/${number}#discussion_r${comment.id}`;
    const pull = `${lab.url}/repos/${path}/pulls/${number}`;
    return {
      id: comment.id,
      node_id: nodeId('PRRC', comment.id),
      url,
      html_url: html,
      pull_request_url: pull,
      pull_request_review_id: thread.reviewId,
      path: thread.path,
      line: thread.line,
      original_line: thread.originalLine,
      side: 'RIGHT',
      commit_id: thread.commitId,
      original_commit_id: thread.commitId,
      diff_hunk: `@@ -${thread.originalLine},1 +${thread.originalLine},1 @@`,
      body: comment.body,
      user: userShape(lab, lab.user(comment.author)),
      created_at: comment.createdAt,
      updated_at: comment.createdAt,
      author_association: associationOf(repository, comment.author),
      _links: { self: { href: url }, html: { href: html }, pull_request: { href: pull } },
    };
  });
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
    url: `${lab.url}/statuses/${status.sha}`,
    avatar_url: `${lab.url}/avatars/${lab.user(status.creator).id}`,
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

export function associationOf({ owner, collaborators }: LabRepository, login: string): string {
  if (login === owner) return 'OWNER';
  return collaborators[login] === undefined ? 'NONE' : 'COLLABORATOR';
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
