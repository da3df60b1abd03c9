import { z } from 'zod';

import { commitOf, git } from './git.ts';
import { commitShape } from './commit-shapes.ts';
import { type Copilot, copilotLogin } from './copilot.ts';
import { fetchHead } from './forks.ts';
import type { Lab } from './lab.ts';
import { isMergeable, squash } from './merge.ts';
import { invalid, Refusal } from './refusal.ts';
import { filesOf, measurePull } from './pull-files.ts';
import { setPullState } from './pull-state.ts';
import { accessOf, type Call, page, pullOf, readBody, type Route } from './router.ts';
import { pullShape, sourceOf } from './pull-shape.ts';
import type { LabPull, LabRepository } from './state.ts';

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
  route('POST', '/pulls', 'read', (call) =>
    lab.exclusively(call.repository, async () => {
      const pull = await openPull(lab, call);
      return call.reply.code(201).send(pullShape(lab, call.repository, pull, true));
    }),
  );

  route('GET', '/pulls', 'read', async (call) => {
    const { state = 'open', head, base, direction = 'desc' } = call.query;
    const found = call.repository.pulls
      .filter((pull) => state === 'all' || pull.state === state)
      .filter((pull) => head === undefined || labelOfHead(lab, call, pull) === head)
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
    if (state !== undefined) setPullState(lab, call.repository, pull, state, call.user);
    pull.updatedAt = lab.now();
    return pullShape(lab, call.repository, pull, true);
  });

  route('GET', '/pulls/:number/files', 'read', async (call) =>
    page(call, await filesOf(lab, call.repository, pullOf(call)), lab),
  );

  route('GET', '/pulls/:number/commits', 'read', async (call) => {
    const { baseRef, headSha } = pullOf(call);
    const folder = lab.folder(call.repository);
    const list = await git(folder, ['rev-list', '--reverse', `${baseRef}..${headSha}`]);
    const commits = page(
      call,
      list.split('\n').filter((line) => line !== ''),
      lab,
    );
    return Promise.all(commits.map((sha) => commitShape(lab, call.repository, sha)));
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
      const methods = call.repository.mergeMethods ?? ['squash'];
      if (!methods.includes(request.merge_method)) {
        throw new Refusal(
          405,
          `${methodNames[request.merge_method]} merges are not allowed on this repository.`,
        );
      }
      if (request.merge_method !== 'squash') throw new Refusal(405, 'The lab only makes squash merges.');
      return squash(lab, call.repository, pullOf(call), request, call.user);
    }),
  );

  route('GET', '/pulls/:number/merge', 'read', async (call) =>
    call.reply.code(pullOf(call).mergedAt === null ? 404 : 204).send(),
  );
}

const methodNames = { merge: 'Merge', squash: 'Squash', rebase: 'Rebase' } as const;

function custom(message: string): Refusal {
  return invalid({ resource: 'PullRequest', code: 'custom', message });
}

async function openPull(lab: Lab, { repository, user, body: given }: Call): Promise<LabPull> {
  const { title, head, base, body, draft } = readBody(NewPull, given, 'PullRequest');
  const folder = lab.folder(repository);
  const [owner = '', branch = ''] = head.includes(':') ? head.split(':') : [repository.owner, head];
  const source = sourceBy(lab, repository, owner);
  const headSha = source === undefined ? null : await commitOf(lab.folder(source), `refs/heads/${branch}`);
  if (source === undefined || headSha === null) {
    throw invalid({ resource: 'PullRequest', field: 'head', code: 'invalid' });
  }
  const access = accessOf(source, user);
  if (access !== 'write' && access !== 'admin') {
    throw new Refusal(403, 'Resource not accessible by personal access token');
  }
  const baseSha = await commitOf(folder, `refs/heads/${base}`);
  if (baseSha === null) throw invalid({ resource: 'PullRequest', field: 'base', code: 'invalid' });
  const isFork = source.id !== repository.id;
  const same = (one: LabPull) =>
    one.state === 'open' &&
    one.headRef === branch &&
    one.baseRef === base &&
    (one.headRepositoryId ?? repository.id) === source.id;
  if (repository.pulls.some(same)) {
    throw custom(`A pull request already exists for ${owner}:${branch}.`);
  }
  if (isFork)
    await fetchHead(lab, repository, { headRepositoryId: source.id, number: repository.nextNumber, headSha });
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
    ...(isFork && { headRepositoryId: source.id }),
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
  await measurePull(lab, repository, pull);
  repository.nextNumber += 1;
  repository.pulls.push(pull);
  lab.announcePull(repository, pull, 'opened', user);
  return pull;
}

/** The repository, or its fork that belongs to this owner. */
function sourceBy(lab: Lab, repository: LabRepository, owner: string): LabRepository | undefined {
  if (owner.toLowerCase() === repository.owner.toLowerCase()) return repository;
  return lab.state.repositories.find(
    (one) => one.forkOf === repository.id && one.owner.toLowerCase() === owner.toLowerCase(),
  );
}

function labelOfHead(lab: Lab, { repository }: Call, pull: LabPull): string {
  return `${sourceOf(lab, repository, pull)?.owner ?? 'unknown'}:${pull.headRef}`;
}

async function computeMergeable(lab: Lab, { repository }: Call, pull: LabPull): Promise<void> {
  const { headSha, baseSha } = pull;
  const mergeable = await isMergeable(lab, repository, pull);
  if (pull.headSha === headSha && pull.baseSha === baseSha) pull.mergeable = mergeable;
}

/** Copilot is known by one spelling; by another GitHub refuses it, and by the third it does nothing. */
function requestReviewer(
  lab: Lab,
  { repository, user, token }: Call,
  pull: LabPull,
  login: string,
  copilot: Copilot,
): void {
  // By an App's token nothing comes of it either.
  if (login === 'Copilot' || (login === copilotLogin && token?.kind === 'installation')) return;
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
