import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { fetchHead } from './forks.ts';
import { readRefs } from './git.ts';
import { measurePull } from './pull-files.ts';
import { outdateThreads } from './outdate-threads.ts';
import type { LabPull, LabRepository, LabUser, StateFile } from './state.ts';

export interface RefChange {
  readonly ref: string;
  /** null for a new ref. */
  readonly before: string | null;
  /** null for a deleted ref. */
  readonly after: string | null;
}

/** Tells hooks that something happened. */
type Announce = (repository: LabRepository, event: string, payload: object, sender: LabUser) => void;

export type Lab = ReturnType<typeof createLab>;

/** What the parts of the stand-in share: the state, the repositories' folders, and what follows from a moved branch. */
export function createLab(directory: string, { state, save, saved }: StateFile) {
  const queues = new Map<number, Promise<unknown>>();
  const lab = {
    state,
    save,
    saved,
    /** Address without a slash at the end; known once the server listens. */
    url: '',
    announce: ((): void => undefined) as Announce,
    announcePull: (
      _repository: LabRepository,
      _pull: LabPull,
      _action: string,
      _sender: LabUser,
      _more?: object,
    ): void => undefined,
    folder: ({ id }: LabRepository): string => join(directory, 'repositories', `${id}.git`),
    nextId: (): number => {
      state.nextId += 1;
      return state.nextId;
    },
    now: (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    user: (login: string): LabUser => {
      const found = state.users.find((user) => user.login.toLowerCase() === login.toLowerCase());
      return found ?? { id: 0, login: 'ghost', type: 'User' };
    },
    /** The user of this name, made with a token where there is none. */
    addUser: (login: string, type: LabUser['type'] = 'User'): LabUser => {
      const known = state.users.find((user) => user.login.toLowerCase() === login.toLowerCase());
      if (known !== undefined) return known;
      const user: LabUser = { id: lab.nextId(), login, type };
      state.users.push(user);
      if (type === 'User') state.tokens.push({ token: newToken('ghp'), login, use: 'api' });
      return user;
    },
    find: (owner: string, name: string): LabRepository | undefined => {
      const wanted = `${owner}/${name.replace(/\.git$/, '')}`.toLowerCase();
      const named = state.repositories.find((one) => `${one.owner}/${one.name}`.toLowerCase() === wanted);
      // Whoever took a former name has it.
      return named ?? state.repositories.find(({ formerNames = [] }) => formerNames.includes(wanted));
    },
    /** One write after the other in a repository. */
    exclusively: async <T>(repository: LabRepository, act: () => Promise<T>): Promise<T> => {
      const before = queues.get(repository.id) ?? Promise.resolve();
      const mine = before.then(act, act);
      queues.set(
        repository.id,
        mine.then(
          () => undefined,
          () => undefined,
        ),
      );
      return mine;
    },
    refsMoved: (repository: LabRepository, changes: readonly RefChange[], sender: LabUser): Promise<void> =>
      refsMoved(lab, repository, changes, sender),
  };
  return lab;
}

/** In GitHub's form: the beginning says the kind. */
export function newToken(kind: string): string {
  return `${kind}_${randomBytes(18).toString('hex')}`;
}

/** After a stand-in was killed between a push and its state on disk: the branches are the truth. */
export async function catchUp(lab: Lab): Promise<void> {
  for (const repository of lab.state.repositories) {
    const refs = await readRefs(lab.folder(repository));
    for (const pull of repository.pulls.filter(({ state }) => state === 'open')) {
      if (pull.headRepositoryId === undefined) {
        pull.headSha = refs.get(`refs/heads/${pull.headRef}`) ?? pull.headSha;
      }
      pull.baseSha = refs.get(`refs/heads/${pull.baseRef}`) ?? pull.baseSha;
      pull.mergeable = null;
    }
  }
  lab.save();
  await lab.saved();
}

/** Compares with how the refs were, and lets the pull requests follow. */
export async function noticeRefs(
  lab: Lab,
  repository: LabRepository,
  before: ReadonlyMap<string, string>,
  sender: LabUser,
): Promise<void> {
  const after = await readRefs(lab.folder(repository));
  const changes = [...new Set([...before.keys(), ...after.keys()])]
    .map((ref): RefChange => ({ ref, before: before.get(ref) ?? null, after: after.get(ref) ?? null }))
    .filter((change) => change.before !== change.after);
  await lab.refsMoved(repository, changes, sender);
  lab.save();
  await lab.saved();
}

async function refsMoved(
  lab: Lab,
  repository: LabRepository,
  changes: readonly RefChange[],
  sender: LabUser,
): Promise<void> {
  for (const { ref, before, after } of changes) {
    lab.announce(repository, 'push', pushPayload(ref, before, after, sender), sender);
    if (!ref.startsWith('refs/heads/')) continue;
    const branch = ref.slice('refs/heads/'.length);
    for (const pull of repository.pulls.filter(({ state }) => state === 'open')) {
      if (pull.baseRef === branch && after !== null) {
        pull.baseSha = after;
        pull.mergeable = null;
      }
      if (pull.headRef === branch && pull.headRepositoryId === undefined) {
        await headMoved(lab, repository, pull, after, sender);
      }
    }
    await forkMoved(lab, repository, branch, after, sender);
  }
}

/** A push to a fork moves the pull requests that come from there. */
async function forkMoved(
  lab: Lab,
  { id, forkOf }: LabRepository,
  branch: string,
  after: string | null,
  sender: LabUser,
): Promise<void> {
  const parent = lab.state.repositories.find((one) => one.id === forkOf);
  const pulls = parent?.pulls.filter(
    ({ state, headRepositoryId, headRef }) =>
      state === 'open' && headRepositoryId === id && headRef === branch,
  );
  for (const pull of pulls ?? []) {
    if (parent === undefined) return;
    if (after !== null) await fetchHead(lab, parent, { ...pull, headSha: after });
    await headMoved(lab, parent, pull, after, sender);
  }
}

async function headMoved(
  lab: Lab,
  repository: LabRepository,
  pull: LabPull,
  after: string | null,
  sender: LabUser,
): Promise<void> {
  pull.updatedAt = lab.now();
  if (after === null) {
    pull.state = 'closed';
    pull.closedAt = lab.now();
    lab.announcePull(repository, pull, 'closed', sender);
    return;
  }
  const before = pull.headSha;
  pull.headSha = after;
  pull.mergeable = null;
  await outdateThreads(lab.folder(repository), pull, before, after);
  await measurePull(lab, repository, pull);
  lab.announcePull(repository, pull, 'synchronize', sender, { before, after });
}

function pushPayload(ref: string, before: string | null, after: string | null, sender: LabUser): object {
  const nothing = '0'.repeat(40);
  return {
    ref,
    before: before ?? nothing,
    after: after ?? nothing,
    created: before === null,
    deleted: after === null,
    forced: false,
    commits: [],
    head_commit: after === null ? null : { id: after },
    pusher: { name: sender.login },
  };
}
