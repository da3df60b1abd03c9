import { mkdir, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';

import { commitOf, git } from './git.ts';
import { identity } from './git-data-routes.ts';
import type { Lab } from './lab.ts';
import type { Access, LabRepository } from './state.ts';

export interface SeedRepository {
  readonly owner: string;
  readonly name: string;
  /** A folder whose files become the first commit; what its .gitignore names is left out. */
  readonly from: string;
  /** Of that commit. */
  readonly message: string;
  readonly private?: boolean;
  readonly defaultBranch?: string;
  /** Access by login; the lab's own users when it is not given. */
  readonly collaborators?: Readonly<Record<string, Access>>;
}

export interface SeededRepository {
  /** owner/name */
  readonly repository: string;
  readonly headSha: string;
  readonly cloneUrl: string;
}

/** A repository with one real commit of a folder; one that is there already stays as it is. */
export async function seedRepository(
  lab: Lab,
  seed: SeedRepository,
  collaborators: Readonly<Record<string, Access>>,
): Promise<SeededRepository> {
  const repository = lab.find(seed.owner, seed.name) ?? (await create(lab, seed, collaborators));
  const full = `${repository.owner}/${repository.name}`;
  const headSha = await commitOf(lab.folder(repository), `refs/heads/${repository.defaultBranch}`);
  return { repository: full, headSha: headSha ?? '', cloneUrl: `${lab.url}/${full}.git` };
}

async function create(
  lab: Lab,
  seed: SeedRepository,
  collaborators: Readonly<Record<string, Access>>,
): Promise<LabRepository> {
  const { owner, name, defaultBranch = 'main' } = seed;
  if (lab.user(owner).id === 0)
    lab.state.users.push({ id: lab.nextId(), login: owner, type: 'Organization' });
  const repository: LabRepository = {
    id: lab.nextId(),
    owner,
    name,
    private: seed.private ?? true,
    defaultBranch,
    createdAt: lab.now(),
    collaborators: { ...(seed.collaborators ?? collaborators) },
    nextNumber: 1,
    pulls: [],
    comments: [],
    statuses: [],
    checkRuns: [],
    hooks: [],
  };
  const folder = lab.folder(repository);
  const unfinished = `${folder}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  await git(unfinished, ['init', '--quiet', '--bare', `--initial-branch=${defaultBranch}`]);
  await firstCommit(lab, unfinished, seed, defaultBranch);
  await rm(folder, { recursive: true, force: true });
  await rename(unfinished, folder);
  lab.state.repositories.push(repository);
  lab.save();
  await lab.saved();
  return repository;
}

async function firstCommit(
  lab: Lab,
  folder: string,
  { from, message }: SeedRepository,
  branch: string,
): Promise<void> {
  const env = { GIT_INDEX_FILE: `${folder}/index-seed`, ...identity(lab.user('pi')) };
  await git(folder, ['--git-dir=.', `--work-tree=${resolve(from)}`, 'add', '--all', '.'], { env });
  const tree = await git(folder, ['write-tree'], { env });
  const sha = await git(folder, ['commit-tree', tree], { input: `${message}\n`, env });
  await git(folder, ['update-ref', `refs/heads/${branch}`, sha], { env });
  await rm(`${folder}/index-seed`, { force: true });
}
