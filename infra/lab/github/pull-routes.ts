import { z } from 'zod';

import { commitOf, git, gitOrNull } from './git.ts';
import { type Copilot, copilotLogin } from './copilot.ts';
import type { Lab } from './lab.ts';
import { isMergeable, squash } from './merge.ts';
import { invalid, Refusal } from './refusal.ts';
import { type Call, page, pullOf, readBody, type Route } from './router.ts';
import { pullShape } from './shapes.ts';
import type { LabPull } from './state.ts';

const NewPull = z.object({
  title: z.string().min(1),
  head: z.string().min(1),
  base: z.string().min(1),
  body: z.string().nullish(),
  draft: z.boolean().default(false),
});
const PullUpdate = z.object({
  title: z.string().min(1).optional(),
  body: z.string().nullable().optional(),
  state: z.enum(['open', 'closed']).optional(),
});
const Reviewers = z.object({ reviewers: z.array(z.string()).default([]) });
const Merge = z.object({
  commit_title: z.string().optional(),
  commit_message: z.string().optional(),
  sha: z.string().optional(),
  merge_method: z.enum(['merge', 'squash', 'rebase']).default('merge'),
});

/** Pull requests: opened, listed, changed, reviewed by request, merged. */
export function addPullRoutes(route: Route, lab: Lab, copilot: Copilot): void {
  route('POST', '/pulls', 'write', (call) =>
    lab.exclusively(call.repository, async () => {
      const pull = await openPull(lab, call);
      return call.reply.code(201).send(pullShape(lab, call.repository, pull, true));
    }),
  );

  route('GET', '/pulls', 'read', async (call) => {
    const { state = 'open', head, base, direction = 'desc' } = call.query;
    const found = call.repository.pulls
      .filter((pull) => state === 'all' || pull.state === state)
      .filter((pull) => head === undefined || `${call.repository.owner}:${pull.headRef}` === head)
      .filter((pull) => base === undefined || pull.baseRef === base)
      .toSorted((a, b) => (direction === 'asc' ? a.number - b.number : b.number - a.number));
    return page(call, found, lab).map((pull) => pullShape(lab, call.repository, pull, false));
  });

  route('GET', '/pulls/:number', 'read', async (call) => {
    const pull = pullOf(call);
    const shape = pullShape(lab, call.repository, pull, true);
    // GitHub answers null first and finds out in the background.
    if (pull.mergeable === null && pull.state === 'open') void computeMergeable(lab, call, pull);
    return shape;
  });

  route('PATCH', '/pulls/:number', 'write', async (call) => {
    const pull = pullOf(call);
    const { title, body, state } = readBody(PullUpdate, call.body, 'PullRequest');
    if (title !== undefined) pull.title = title;
    if (body !== undefined) pull.body = body ?? '';
    if (title !== undefined || body !== undefined)
      lab.announcePull(call.repository, pull, 'edited', call.user);
    if (state !== undefined && state !== pull.state) changeState(lab, call, pull, state);
    pull.updatedAt = lab.now();
    return pullShape(lab, call.repository, pull, true);
  });

  route('GET', '/pulls/:number/files', 'read', async (call) => page(call, await filesOf(lab, call), lab));

  route('GET', '/pulls/:number/commits', 'read', async (call) => {
    const { baseRef, headSha } = pullOf(call);
    const list = await git(lab.folder(call.repository), [
      'log',
      '--reverse',
      '--format=%H%x00%s',
      `${baseRef}..${headSha}`,
    ]);
    const commits = list.split('\n').filter((line) => line !== '');
    return page(call, commits, lab).map((line) => {
      const [sha, message] = line.split('\0');
      return { sha, commit: { message } };
    });
  });

  route('POST', '/pulls/:number/requested_reviewers', 'write', async (call) => {
    const pull = pullOf(call);
    const { reviewers } = readBody(Reviewers, call.body, 'PullRequest');
    for (const login of reviewers) requestReviewer(lab, call, pull, login, copilot);
    return call.reply.code(201).send(pullShape(lab, call.repository, pull, false));
  });

  route('PUT', '/pulls/:number/merge', 'write', (call) =>
    lab.exclusively(call.repository, async () => {
      const request = readBody(Merge, call.body, 'PullRequest');
      if (request.merge_method !== 'squash')
        throw new Refusal(405, 'Only squash merges are allowed on this repository.');
      return squash(lab, call.repository, pullOf(call), request, call.user);
    }),
  );

  route('GET', '/pulls/:number/merge', 'read', async (call) =>
    call.reply.code(pullOf(call).mergedAt === null ? 404 : 204).send(),
  );
}

function custom(message: string): Refusal {
  return invalid({ resource: 'PullRequest', code: 'custom', message });
}

async function openPull(lab: Lab, { repository, user, body: given }: Call): Promise<LabPull> {
  const { title, head, base, body, draft } = readBody(NewPull, given, 'PullRequest');
  const folder = lab.folder(repository);
  const [owner, branch] = head.includes(':')
    ? (head.split(':') as [string, string])
    : [repository.owner, head];
  const headSha = owner === repository.owner ? await commitOf(folder, `refs/heads/${branch}`) : null;
  if (headSha === null) throw invalid({ resource: 'PullRequest', field: 'head', code: 'invalid' });
  const baseSha = await commitOf(folder, `refs/heads/${base}`);
  if (baseSha === null) throw invalid({ resource: 'PullRequest', field: 'base', code: 'invalid' });
  const same = (one: LabPull) => one.state === 'open' && one.headRef === branch && one.baseRef === base;
  if (repository.pulls.some(same)) {
    throw custom(`A pull request already exists for ${repository.owner}:${branch}.`);
  }
  if ((await git(folder, ['rev-list', '--count', `${baseSha}..${headSha}`])) === '0') {
    throw custom(`No commits between ${base} and ${branch}`);
  }
  const now = lab.now();
  const pull: LabPull = {
    id: lab.nextId(),
    number: repository.nextNumber,
    title,
    body: body ?? '',
    author: user.login,
    headRef: branch,
    headSha,
    baseRef: base,
    baseSha,
    state: 'open',
    draft,
    createdAt: now,
    updatedAt: now,
    closedAt: null,
    mergedAt: null,
    mergedBy: null,
    mergeCommitSha: null,
    requestedReviewers: [],
    mergeable: null,
    reviews: [],
    threads: [],
  };
  repository.nextNumber += 1;
  repository.pulls.push(pull);
  lab.announcePull(repository, pull, 'opened', user);
  return pull;
}

async function computeMergeable(lab: Lab, { repository }: Call, pull: LabPull): Promise<void> {
  const { headSha, baseSha } = pull;
  const mergeable = await isMergeable(lab, repository, pull);
  if (pull.headSha === headSha && pull.baseSha === baseSha) pull.mergeable = mergeable;
}

function changeState(lab: Lab, { repository, user }: Call, pull: LabPull, state: 'open' | 'closed'): void {
  if (pull.mergedAt !== null) {
    throw invalid({
      resource: 'PullRequest',
      field: 'state',
      code: 'invalid',
      message: 'state cannot be changed. The pull request was merged.',
    });
  }
  pull.state = state;
  pull.closedAt = state === 'closed' ? lab.now() : null;
  lab.announcePull(repository, pull, state === 'closed' ? 'closed' : 'reopened', user);
}

/** Copilot is known by one spelling; by another GitHub refuses it, and by the third it does nothing. */
function requestReviewer(
  lab: Lab,
  { repository, user }: Call,
  pull: LabPull,
  login: string,
  copilot: Copilot,
): void {
  if (login === 'Copilot') return;
  const mayReview = login === copilotLogin || repository.collaborators[login] !== undefined;
  if (!mayReview || login === pull.author) {
    throw new Refusal(
      422,
      'Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the repository.',
    );
  }
  if (!pull.requestedReviewers.includes(login)) pull.requestedReviewers.push(login);
  lab.announcePull(repository, pull, 'review_requested', user, { requested_reviewer: { login } });
  if (login === copilotLogin) copilot.request(repository, pull);
}

const fileStates: Readonly<Record<string, string>> = { A: 'added', D: 'removed', M: 'modified' };

async function filesOf(lab: Lab, call: Call): Promise<object[]> {
  const { baseRef, headSha } = pullOf(call);
  const folder = lab.folder(call.repository);
  const range = `${baseRef}...${headSha}`;
  const [states, numbers] = await Promise.all([
    git(folder, ['diff', '--no-renames', '--name-status', '-z', range]),
    git(folder, ['diff', '--no-renames', '--numstat', '-z', range]),
  ]);
  const fields = states.split('\0');
  const counts = new Map(
    numbers.split('\0').flatMap((line) => {
      const [added, deleted, path] = line.split('\t');
      return path === undefined
        ? []
        : [[path, { additions: Number(added) || 0, deletions: Number(deleted) || 0 }] as const];
    }),
  );
  const files: object[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const filename = fields[index + 1] ?? '';
    const patch = await gitOrNull(folder, ['diff', '--no-renames', range, '--', filename]);
    const hunks = patch?.slice(patch.indexOf('\n@@') + 1) ?? '';
    files.push({
      filename,
      status: fileStates[fields[index] ?? ''] ?? 'changed',
      ...counts.get(filename),
      patch: hunks,
    });
  }
  return files;
}
