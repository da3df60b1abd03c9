import type { Lab } from './lab.ts';
import type {
  LabCheckRun,
  LabComment,
  LabPull,
  LabRepository,
  LabReview,
  LabStatus,
  LabThread,
  LabUser,
} from './state.ts';

/** GitHub's JSON of each thing, as far as programs use it. */
export function userShape(lab: Lab, user: LabUser): object {
  return {
    login: user.login,
    id: user.id,
    node_id: nodeId('U', user.id),
    type: user.type,
    site_admin: false,
    html_url: `${lab.url}/${user.login}`,
    url: `${lab.url}/users/${user.login}`,
  };
}

export function repositoryShape(lab: Lab, repository: LabRepository): object {
  const fullName = `${repository.owner}/${repository.name}`;
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
    fork: false,
    archived: false,
    default_branch: repository.defaultBranch,
    delete_branch_on_merge: false,
    allow_squash_merge: true,
    created_at: repository.createdAt,
  };
}

/** `whole` as the answer to one pull request; in lists GitHub leaves `merged` and `mergeable` out. */
export function pullShape(lab: Lab, repository: LabRepository, pull: LabPull, whole: boolean): object {
  const path = `${repository.owner}/${repository.name}`;
  const end = (ref: string, sha: string) => ({
    label: `${repository.owner}:${ref}`,
    ref,
    sha,
    user: userShape(lab, lab.user(repository.owner)),
    repo: repositoryShape(lab, repository),
  });
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
    head: end(pull.headRef, pull.headSha),
    base: end(pull.baseRef, pull.baseSha),
    ...(whole && {
      merged: pull.mergedAt !== null,
      merged_by: pull.mergedBy === null ? null : userShape(lab, lab.user(pull.mergedBy)),
      mergeable: pull.mergedAt === null ? pull.mergeable : null,
      mergeable_state: mergeableState(pull),
    }),
  };
}

function mergeableState(pull: LabPull): string {
  if (pull.mergeable === null || pull.state === 'closed') return 'unknown';
  if (!pull.mergeable) return 'dirty';
  return pull.draft ? 'draft' : 'clean';
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
  return {
    id: run.id,
    name: run.name,
    head_sha: run.sha,
    status: run.status,
    conclusion: run.conclusion,
    html_url: `${lab.url}/${path}/commit/${run.sha}`,
    started_at: run.at,
    completed_at: run.status === 'completed' ? run.at : null,
    app: { id: 1, slug: 'lab-actions', name: 'Lab Actions' },
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
