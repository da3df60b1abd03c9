import { z } from 'zod';

import { branchesAt, commitOf } from './git.ts';
import type { Lab } from './lab.ts';
import { notFound } from './refusal.ts';
import { type Call, page, readBody, type Route } from './router.ts';
import { repositoryShape } from './repository-shape.ts';
import { statusShape } from './shapes.ts';
import type { LabStatus } from './state.ts';

const NewStatus = z.object({
  state: z.enum(['error', 'failure', 'pending', 'success']),
  context: z.string().default('default'),
  description: z.string().max(140).nullish(),
  target_url: z.string().nullish(),
});

/** Commit statuses, which tell nothing of check runs. */
export function addStatusRoutes(route: Route, lab: Lab): void {
  route('POST', '/statuses/:ref', 'write', async (call) => {
    const sha = await shaOf(lab, call);
    const given = readBody(NewStatus, call.body, 'Status');
    const status: LabStatus = {
      id: lab.nextId(),
      sha,
      state: given.state,
      context: given.context,
      description: given.description ?? null,
      targetUrl: given.target_url ?? null,
      creator: call.user.login,
      createdAt: lab.now(),
    };
    call.repository.statuses.push(status);
    const branches = await branchesAt(lab.folder(call.repository), sha);
    const { owner, name } = call.repository;
    const payload = { ...statusShape(lab, status), sha, name: `${owner}/${name}`, commit: { sha } };
    lab.announce(
      call.repository,
      'status',
      { ...payload, branches: branches.map((branch) => ({ name: branch, commit: { sha } })) },
      call.user,
    );
    return call.reply.code(201).send(statusShape(lab, status));
  });

  route('GET', '/commits/:ref/statuses', 'read', async (call) => {
    const sha = await shaOf(lab, call);
    return page(call, statusesOf(call, sha), lab).map((status) => statusShape(lab, status));
  });

  route('GET', '/commits/:ref/status', 'read', async (call) => {
    const sha = await shaOf(lab, call);
    const newest = [
      ...new Map(
        statusesOf(call, sha)
          .toReversed()
          .map((one) => [one.context, one]),
      ).values(),
    ];
    const url = `${lab.url}/repos/${call.repository.owner}/${call.repository.name}/commits/${sha}`;
    return {
      url: `${url}/status`,
      commit_url: url,
      state: combined(newest),
      sha,
      total_count: newest.length,
      statuses: newest.map((status) => statusShape(lab, status)),
      repository: repositoryShape(lab, call.repository),
    };
  });
}

/** Newest first, as GitHub lists them. */
function statusesOf({ repository }: Call, sha: string): LabStatus[] {
  return repository.statuses.filter((status) => status.sha === sha).toReversed();
}

function combined(statuses: readonly LabStatus[]): string {
  if (statuses.some(({ state }) => state === 'error' || state === 'failure')) return 'failure';
  return statuses.length > 0 && statuses.every(({ state }) => state === 'success') ? 'success' : 'pending';
}

async function shaOf(lab: Lab, { repository, params }: Call): Promise<string> {
  const sha = await commitOf(lab.folder(repository), params['ref'] ?? '');
  if (sha === null) throw notFound();
  return sha;
}
