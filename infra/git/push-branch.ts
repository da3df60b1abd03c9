import { Failure } from '../failure.ts';
import { askServer, repositoryUrl } from './ask-server.ts';
import { committer } from './committer.ts';
import type { MirrorOptions } from './mirror.ts';
import { askGit, git, gitFailed, type GitCall } from './run-git.ts';

export interface Push {
  readonly branch: string;
  readonly headSha: string;
}

/**
 * Puts `branch` on the server at `headSha`; done already when it stands there. What stands there otherwise is replaced
 * only where it is an ancestor, or a commit of our own from an earlier life of the experiment. Throws `PushRefused` for
 * anything else, and where the server refuses (protected branch, token), else `GitFailed`.
 */
export async function pushToServer(mirror: string, push: Push, options: MirrorOptions): Promise<void> {
  const { settings, repository, environment, signal } = options;
  const call: GitCall = { cwd: mirror, environment, signal };
  const ref = `refs/heads/${push.branch}`;
  const before = await remoteHead(ref, options, call);
  if (before === push.headSha) return;
  if (before !== null) await requireReplaceable(before, push, call);
  // The lease names what was judged above: a push by somebody else in between is refused by the server.
  const args = ['push', '--quiet', '--porcelain', `--force-with-lease=${ref}:${before ?? ''}`];
  const url = repositoryUrl(settings, repository);
  const refspec = `${push.headSha}:${ref}`;
  const answer = await askGit([...args, url, refspec], { ...call, credential: settings });
  if (answer.exitCode === 0) return;
  // A lost answer is not a lost push.
  if ((await remoteHead(ref, options, call)) === push.headSha) return;
  const status = await askServer(settings, repository, 'git-receive-pack');
  const rejected = /^!\t[^\t]*\t(.*)$/m.exec(answer.stdout)?.[1];
  if (status === 401 || status === 403 || status === 404) {
    throw refused(push, `${url} answered ${status}: check the push token and that it may write branches`);
  }
  if (rejected !== undefined) throw refused(push, `the server said: ${rejected}`);
  throw await gitFailed(args, answer, call);
}

async function remoteHead(ref: string, options: MirrorOptions, call: GitCall): Promise<string | null> {
  const { settings, repository } = options;
  const args = ['ls-remote', '--quiet', repositoryUrl(settings, repository), ref];
  const answer = await askGit(args, { ...call, credential: settings });
  if (answer.exitCode === 0) return answer.stdout.split('\t', 1)[0]?.trim() || null;
  const status = await askServer(settings, repository, 'git-upload-pack');
  if (status === 401 || status === 403 || status === 404) {
    throw new Failure(
      'PushRefused',
      `${repositoryUrl(settings, repository)} answered ${status}: check the repository and the push token`,
    );
  }
  throw await gitFailed(args, answer, call);
}

async function requireReplaceable(before: string, push: Push, call: GitCall): Promise<void> {
  const known = await askGit(['cat-file', '-e', `${before}^{commit}`], call);
  if (known.exitCode === 0) {
    const ancestor = await askGit(['merge-base', '--is-ancestor', before, push.headSha], call);
    if (ancestor.exitCode === 0) return;
    if ((await git(['show', '-s', '--format=%ce', before], call)) === committer.email) return;
  }
  throw refused(
    push,
    `it holds ${before.slice(0, 12)}, which is not a commit of Hephaestus; move those commits to another branch or delete the branch`,
  );
}

function refused({ branch, headSha }: Push, why: string): Failure {
  return new Failure('PushRefused', `branch ${branch} cannot be set to ${headSha.slice(0, 12)}: ${why}`);
}
