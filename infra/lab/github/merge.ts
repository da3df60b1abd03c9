import { git, gitOrNull, readRefs } from './git.ts';
import { identity } from './git-data-routes.ts';
import { noticeRefs, type Lab } from './lab.ts';
import { protectedWords } from './protection.ts';
import { Refusal } from './refusal.ts';
import type { LabPull, LabRepository, LabUser } from './state.ts';

export interface MergeRequest {
  readonly sha?: string | undefined;
  readonly commit_title?: string | undefined;
  readonly commit_message?: string | undefined;
}

/** Whether head and base go together without a conflict. */
export async function isMergeable(lab: Lab, repository: LabRepository, pull: LabPull): Promise<boolean> {
  return (await mergeTree(lab, repository, pull)) !== null;
}

/** Squashes the head onto the base as one commit, made by git; 405 and 409 as GitHub answers them. */
export async function squash(
  lab: Lab,
  repository: LabRepository,
  pull: LabPull,
  request: MergeRequest,
  user: LabUser,
): Promise<object> {
  if (pull.mergeCommitSha !== null) return merged(pull.mergeCommitSha);
  if (request.sha !== undefined && !/^[0-9a-f]{40}$/.test(request.sha)) {
    throw new Refusal(422, 'The sha parameter must be exactly 40 characters and contain only [0-9a-f].');
  }
  if (pull.state === 'closed') throw notMergeable();
  if (request.sha !== undefined && request.sha !== pull.headSha) {
    throw new Refusal(409, 'Head branch was modified. Review and try the merge again.');
  }
  if (pull.draft) throw new Refusal(405, 'Pull Request is still a draft');
  const folder = lab.folder(repository);
  const tree = await mergeTree(lab, repository, pull);
  if (tree === null) throw notMergeable();
  const words = await protectedWords(lab, repository, pull);
  if (words !== null) throw new Refusal(405, words);
  const before = await readRefs(folder);
  const base = before.get(`refs/heads/${pull.baseRef}`) ?? '';
  const title = request.commit_title ?? `${pull.title} (#${pull.number})`;
  const input = [title, request.commit_message ?? ''].join('\n\n').trim();
  const env = {
    ...identity(lab.user(pull.author)),
    GIT_COMMITTER_NAME: 'GitHub',
    GIT_COMMITTER_EMAIL: 'noreply@github.com',
  };
  const sha = await git(folder, ['commit-tree', tree, '-p', base], { input: `${input}\n`, env });
  await git(folder, ['update-ref', `refs/heads/${pull.baseRef}`, sha, base]);
  const now = lab.now();
  Object.assign(pull, {
    state: 'closed',
    mergedAt: now,
    closedAt: now,
    updatedAt: now,
    mergedBy: user.login,
  });
  pull.mergeCommitSha = sha;
  await noticeRefs(lab, repository, before, user);
  lab.announcePull(repository, pull, 'closed', user);
  return merged(sha);
}

async function mergeTree(lab: Lab, repository: LabRepository, pull: LabPull): Promise<string | null> {
  const args = ['merge-tree', '--write-tree', `refs/heads/${pull.baseRef}`, pull.headSha];
  const output = await gitOrNull(lab.folder(repository), args);
  return output === null ? null : (output.split('\n', 1)[0] ?? null);
}

function merged(sha: string): object {
  return { sha, merged: true, message: 'Pull Request successfully merged' };
}

function notMergeable(): Refusal {
  return new Refusal(405, 'Pull Request is not mergeable');
}
