import { randomUUID } from 'node:crypto';
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { Failure } from '../failure.ts';
import type { GitSettings } from '../settings.ts';
import { askServer, repositoryUrl } from './ask-server.ts';
import { askGit, git, gitFailed } from './run-git.ts';
import { withLock } from './with-lock.ts';

export interface MirrorOptions {
  readonly sharedDir: string;
  readonly repository: string;
  readonly settings: GitSettings;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What runs and Hephaestus itself leave in a working folder and nobody means to commit. All of it from the beginning:
 * every worktree shares this file, and one that changes while an agent works looks like that agent's doing.
 */
const excluded = '/.venv\n/.venv.new\n/.qwen/\n/wandb/\n__pycache__/\n*.pyc\n';

/** `<shared>/repositories/<owner>/<name>.git`; throws `RepositoryNotFound` for a name that leads elsewhere. */
export function mirrorPath(sharedDir: string, repository: string): string {
  const [owner = '', name = '', ...more] = repository.split('/');
  if (more.length > 0 || ![owner, name].every((part) => /^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/.test(part))) {
    throw new Failure('RepositoryNotFound', `"${repository}" is no repository: expected owner/name`);
  }
  return join(sharedDir, 'repositories', owner, `${name}.git`);
}

/** Runs `work` while nobody else fetches into this mirror or makes worktrees of it. */
export function withMirror<T>(options: MirrorOptions, work: (mirror: string) => Promise<T>): Promise<T> {
  const mirror = mirrorPath(options.sharedDir, options.repository);
  return withLock(mirror, options.signal, () => work(mirror));
}

/**
 * Brings the mirror's `refs/remotes/origin/*` up to date with the server, making the mirror first where there is none.
 * Throws `RepositoryNotFound` when the server answers 401, 403 or 404, else `GitFailed`.
 */
export async function fetchMirror(mirror: string, options: MirrorOptions): Promise<void> {
  const { settings, repository, environment, signal } = options;
  if (!(await exists(join(mirror, 'HEAD')))) await makeMirror(mirror, options);
  const url = repositoryUrl(settings, repository);
  const args = [
    'fetch',
    '--quiet',
    '--prune',
    '--no-tags',
    '--force',
    url,
    '+refs/heads/*:refs/remotes/origin/*',
  ];
  const answer = await askGit(args, { cwd: mirror, environment, signal, credential: settings });
  if (answer.exitCode === 0) return;
  const status = await askServer(settings, repository, 'git-upload-pack');
  if (status === 401 || status === 403 || status === 404) {
    throw new Failure(
      'RepositoryNotFound',
      `${url} answered ${status}: expected a repository that the push token may read; check the name in the task note and the token`,
    );
  }
  throw await gitFailed(args, answer, { cwd: mirror, environment });
}

/** Made beside and moved into place: half a mirror never has its name. */
async function makeMirror(mirror: string, { environment, signal }: MirrorOptions): Promise<void> {
  const temporary = `${mirror}.${randomUUID()}.tmp`;
  await mkdir(dirname(mirror), { recursive: true });
  await git(['init', '--quiet', '--bare', '--initial-branch=main', '--template=', temporary], {
    cwd: dirname(mirror),
    environment,
    signal,
  });
  await mkdir(join(temporary, 'info'), { recursive: true });
  await writeFile(join(temporary, 'info', 'exclude'), excluded);
  await rm(mirror, { recursive: true, force: true });
  await rename(temporary, mirror);
}

/** The commit of a branch on the server as of the last fetch; throws `BaseBranchNotFound` with the branches there are. */
export async function remoteBranch(mirror: string, branch: string, options: MirrorOptions): Promise<string> {
  const call = { cwd: mirror, environment: options.environment, signal: options.signal };
  const ref = `refs/remotes/origin/${branch}`;
  const answer = await askGit(
    ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`],
    call,
  );
  const sha = answer.stdout.trim();
  if (answer.exitCode === 0 && /^[0-9a-f]{40,64}$/.test(sha)) return sha;
  const listing = await git(['for-each-ref', '--format=%(refname:lstrip=3)', 'refs/remotes/origin'], call);
  const branches = listing.split('\n').filter((name) => name !== '');
  const known = branches.length > 10 ? `${branches.slice(0, 10).join(', ')}, …` : branches.join(', ');
  throw new Failure(
    'BaseBranchNotFound',
    `${options.repository} has no branch "${branch}"; it has ${known || 'none'}: set base in the task note to one of them`,
  );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
