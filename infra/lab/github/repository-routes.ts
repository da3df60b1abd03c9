import { z } from 'zod';

import { commitShape } from './commit-shapes.ts';
import { commitOf, git, gitBytes, gitOrNull } from './git.ts';
import type { Lab } from './lab.ts';
import { fork } from './forks.ts';
import { notFound } from './refusal.ts';
import { accessOf, type Call, type Route } from './router.ts';
import { repositoryShape } from './repository-shape.ts';
import { userShape } from './user-shape.ts';
import type { LabRepository, LabUser } from './state.ts';

/** Contents above this come without their text. */
const largestContent = 1024 * 1024;

/** The repository itself: who may what, branches, files. */
export function addRepositoryRoutes(route: Route, lab: Lab): void {
  route('GET', '', 'read', async ({ repository, user }) => ({
    ...repositoryShape(lab, repository),
    permissions: permissionsOf(repository, user),
  }));

  route('POST', '/forks', 'read', async ({ repository, user, reply }) =>
    reply.code(202).send(repositoryShape(lab, await fork(lab, repository, user))),
  );

  route('GET', '/collaborators/:login/permission', 'read', async ({ repository, params }) => {
    const login = params['login'] ?? '';
    const user = lab.state.users.find((one) => one.login.toLowerCase() === login.toLowerCase());
    if (user === undefined) throw notFound();
    const permission = accessOf(repository, user) ?? 'none';
    return { permission, role_name: permission, user: { ...userShape(lab, user), role_name: permission } };
  });

  route('GET', '/readme', 'read', async (call) => {
    const commit = await wantedCommit(lab, call);
    const names = await git(lab.folder(call.repository), ['ls-tree', '--name-only', commit]);
    const readme = names.split('\n').find((name) => /^readme(\.md|\.rst|\.txt)?$/i.test(name));
    if (readme === undefined) throw notFound();
    return contentOf(lab, call.repository, commit, readme);
  });

  route('GET', '/contents/*', 'read', async (call) => {
    const commit = await wantedCommit(lab, call);
    return contentOf(lab, call.repository, commit, call.params['*'] ?? '');
  });

  route('GET', '/commits/*', 'read', async (call) => {
    const sha = await commitOf(lab.folder(call.repository), call.params['*'] ?? '');
    if (sha === null) throw notFound();
    return commitShape(lab, call.repository, sha);
  });

  route('PUT', '/collaborators/:login', 'admin', async ({ repository, params, body, reply }) => {
    const { permission } = z
      .object({ permission: z.enum(['pull', 'push', 'admin']).default('push') })
      .parse(body ?? {});
    const login = params['login'] ?? '';
    if (lab.user(login).id === 0) throw notFound();
    repository.collaborators[lab.user(login).login] = (
      { pull: 'read', push: 'write', admin: 'admin' } as const
    )[permission];
    return reply.code(204).send();
  });
}

function permissionsOf(repository: LabRepository, user: LabUser): object {
  const access = accessOf(repository, user);
  const push = access === 'write' || access === 'admin';
  return {
    admin: access === 'admin',
    maintain: access === 'admin',
    push,
    triage: push,
    pull: access !== null,
  };
}

async function wantedCommit(lab: Lab, { repository, query }: Call): Promise<string> {
  const sha = await commitOf(lab.folder(repository), query['ref'] ?? repository.defaultBranch);
  if (sha === null) throw notFound();
  return sha;
}

async function contentOf(lab: Lab, repository: LabRepository, commit: string, path: string): Promise<object> {
  const folder = lab.folder(repository);
  const entry = await gitOrNull(folder, ['ls-tree', '-l', commit, '--', path]);
  const found = /^\d+ blob ([0-9a-f]+)\s+(\d+)\t/.exec(entry ?? '');
  if (found === null) throw notFound();
  const [, sha = '', size = '0'] = found;
  const small = Number(size) <= largestContent;
  const bytes = small ? await gitBytes(folder, ['cat-file', 'blob', sha]) : new Uint8Array();
  return {
    type: 'file',
    name: path.split('/').at(-1),
    path,
    sha,
    size: Number(size),
    encoding: small ? 'base64' : 'none',
    content: Buffer.from(bytes).toString('base64').replaceAll(/.{60}/g, '$&\n'),
    ...addresses(lab, repository, commit, path, sha),
  };
}

function addresses(
  ...[lab, repository, commit, path, sha]: [Lab, LabRepository, string, string, string]
): object {
  const api = `${lab.url}/repos/${pathOf(repository)}`;
  const self = `${api}/contents/${path}?ref=${commit}`;
  const html = `${lab.url}/${pathOf(repository)}/blob/${commit}/${path}`;
  const gitUrl = `${api}/git/blobs/${sha}`;
  return {
    url: self,
    html_url: html,
    git_url: gitUrl,
    download_url: `${html}?raw=true`,
    _links: { self, html, git: gitUrl },
  };
}

function pathOf({ owner, name }: LabRepository): string {
  return `${owner}/${name}`;
}
