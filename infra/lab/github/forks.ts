import { rm } from 'node:fs/promises';

import { git } from './git.ts';
import type { Lab } from './lab.ts';
import { nodeId } from './user-shape.ts';
import type { LabPull, LabRepository, LabUser } from './state.ts';

/** A copy of the repository that belongs to somebody else; the one that there is already, where there is one. */
export async function fork(lab: Lab, parent: LabRepository, user: LabUser): Promise<LabRepository> {
  const before = lab.state.repositories.find(
    ({ owner, forkOf }) => owner === user.login && forkOf === parent.id,
  );
  if (before !== undefined) return before;
  const made: LabRepository = {
    id: lab.nextId(),
    owner: user.login,
    name: parent.name,
    private: parent.private,
    defaultBranch: parent.defaultBranch,
    createdAt: lab.now(),
    collaborators: { [user.login]: 'admin' },
    forkOf: parent.id,
    nextNumber: 1,
    pulls: [],
    comments: [],
    statuses: [],
    checkRuns: [],
    hooks: [],
  };
  const folder = lab.folder(made);
  await rm(folder, { recursive: true, force: true });
  await git(lab.folder(parent), ['clone', '--quiet', '--bare', '.', folder]);
  lab.state.repositories.push(made);
  lab.announce(
    parent,
    'fork',
    { forkee: { id: made.id, node_id: nodeId('R', made.id), full_name: `${made.owner}/${made.name}` } },
    user,
  );
  lab.save();
  await lab.saved();
  return made;
}

/** Brings the head of a pull request from a fork into the repository that it is proposed to. */
export async function fetchHead(
  lab: Lab,
  repository: LabRepository,
  pull: Pick<LabPull, 'headRepositoryId' | 'headSha' | 'number'>,
): Promise<void> {
  const source = lab.state.repositories.find(({ id }) => id === pull.headRepositoryId);
  if (source === undefined) return;
  const refs = `+${pull.headSha}:refs/pull/${pull.number}/head`;
  await git(lab.folder(repository), ['fetch', '--quiet', lab.folder(source), refs]);
}
