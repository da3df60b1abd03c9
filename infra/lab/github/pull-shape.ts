import type { Lab } from './lab.ts';
import { blockedWords, protectionOf } from './protection.ts';
import { repositoryShape } from './repository-shape.ts';
import { associationOf, labelOf, labelShape } from './shapes.ts';
import type { LabPull, LabRepository } from './state.ts';
import { nodeId, userShape } from './user-shape.ts';

/** GitHub's JSON of a pull request. `whole` as the answer to one pull request; in lists GitHub leaves `merged` and `mergeable` out. */
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
    ...addresses(lab, path, pull),
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
      rebaseable: null,
      maintainer_can_modify: false,
      comments: repository.comments.filter(({ number }) => number === pull.number).length,
      review_comments: pull.threads.length,
      ...(pull.size ?? { commits: 1, additions: 0, deletions: 0, changed_files: 0 }),
    }),
  };
}

function addresses(lab: Lab, path: string, { number, headSha }: LabPull): object {
  const url = `${lab.url}/repos/${path}/pulls/${number}`;
  const html = `${lab.url}/${path}/pull/${number}`;
  const issue = `${lab.url}/repos/${path}/issues/${number}`;
  const all = {
    comments: `${issue}/comments`,
    commits: `${url}/commits`,
    review_comments: `${url}/comments`,
    statuses: `${lab.url}/repos/${path}/statuses/${headSha}`,
  };
  const links = {
    self: url,
    html,
    issue,
    review_comment: `${lab.url}/repos/${path}/pulls/comments{/number}`,
    ...all,
  };
  return {
    url,
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    issue_url: issue,
    review_comment_url: links.review_comment,
    ...Object.fromEntries(Object.entries(all).map(([name, href]) => [`${name}_url`, href])),
    _links: Object.fromEntries(Object.entries(links).map(([name, href]) => [name, { href }])),
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
