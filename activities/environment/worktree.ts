import { lstat, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';

import { execa } from 'execa';
import writeFileAtomic from 'write-file-atomic';

import { Failure } from '../../infra/failure.ts';
import { unlessMissing } from '../../infra/unless-missing.ts';

type Environment = Readonly<Record<string, string>>;

/** The temporary name is ignored too, so that a crash between the two steps leaves nothing that could be committed. */
const ignored = ['/.venv', '/.venv.new'];

/** Standard output of a git command in the worktree, trimmed. Throws `GitFailed`. */
export async function git(
  source: string,
  args: readonly string[],
  environment: Environment,
): Promise<string> {
  // A worktree may not name a program of its own that git would start.
  const safe = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null'];
  const result = await execa('git', [...safe, ...args], {
    cwd: source,
    env: environment,
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout: 60_000,
  });
  if (!result.failed) return result.stdout.trim();
  const words = result.stderr === '' ? result.shortMessage : result.stderr;
  throw new Failure('GitFailed', `git ${args.join(' ')} failed in ${source}: ${words}`);
}

/** Throws `EnvironmentNotPortable` when the repository brings a `.venv` of its own. */
export async function refuseCommittedVenv(source: string, environment: Environment): Promise<void> {
  const tracked = await git(source, ['ls-files', '--', '.venv'], environment);
  if (tracked === '') return;
  const first = tracked.split('\n')[0] ?? '.venv';
  throw new Failure(
    'EnvironmentNotPortable',
    `The repository has a committed environment (${first}): it was built elsewhere and does not work here. Remove it with: git rm -r --cached .venv`,
  );
}

/** `.venv` in the worktree, a relative link to the environment that git does not see. The same again changes nothing. */
export async function linkVenv(source: string, venv: string, environment: Environment): Promise<void> {
  await ignoreVenv(source, environment);
  const link = join(source, '.venv');
  const fresh = `${link}.new`;
  await rm(fresh, { force: true });
  await symlink(relative(source, venv), fresh);
  const standing = await unlessMissing(lstat(link));
  if (standing?.isDirectory() === true) await rm(link, { recursive: true, force: true });
  await rename(fresh, link);
}

async function ignoreVenv(source: string, environment: Environment): Promise<void> {
  const exclude = resolve(
    source,
    await git(source, ['rev-parse', '--git-path', 'info/exclude'], environment),
  );
  await mkdir(dirname(exclude), { recursive: true });
  const text = await readFile(exclude, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  });
  const missing = ignored.filter((pattern) => !text.split('\n').includes(pattern));
  if (missing.length === 0) return;
  const gap = text === '' || text.endsWith('\n') ? '' : '\n';
  await writeFileAtomic(exclude, `${text}${gap}${missing.join('\n')}\n`);
}
