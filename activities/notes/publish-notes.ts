import { setTimeout as wait } from 'node:timers/promises';

import { Failure } from '../../infra/failure.ts';
import { committerEnvironment } from '../../infra/git/committer.ts';
import { askGit, type GitAnswer, type GitCall } from '../../infra/git/run-git.ts';
import { settleConflict } from './settle-conflict.ts';

export interface Publication {
  /** Of the note, inside the vault. */
  readonly path: string;
  readonly message: string;
  /** Writes the generated parts anew, also those of `settled`; returns the files that hold them. */
  readonly renew: (settled: readonly string[]) => Promise<readonly string[]>;
}

/** Of many notes that land at once in one remote each push beats all others once. */
const maxPushes = 40;
const longestPauseMs = 500;

/**
 * Renews the generated parts, commits them with the note, and pushes where there is a remote: on top of whatever others
 * pushed meanwhile. Returns the note's commit; null when the vault is no git repository or ignores the note. Throws
 * `VaultConflict` where only a person can go on, `VaultUnavailable` when the remote cannot be used.
 */
export async function publishNotes(publication: Publication, call: GitCall): Promise<string | null> {
  const { path, message, renew } = publication;
  // 0: ignored; 1: not; anything else: no repository.
  const ignored = await askGit(['check-ignore', '--quiet', '--', path], call);
  if (ignored.exitCode !== 1) {
    await renew([]);
    return null;
  }
  const remote = (await inOrder(['remote'], call)).split('\n')[0] ?? '';
  if (remote === '') await commit([path, ...(await renew([]))], message, call);
  else {
    // What others pushed may change the index, and must meet the note as it is.
    await commit([path], message, call);
    await push(remote, publication, call);
  }
  return (await inOrder(['log', '-1', '--format=%H', '--', path], call)) || null;
}

/** Only these files: what a person has begun beside them stays as it is. */
async function commit(paths: readonly string[], message: string, call: GitCall): Promise<void> {
  if (paths.length === 0) return;
  await inOrder(['add', '--', ...paths], call);
  const asUs = { ...call, extraEnvironment: committerEnvironment };
  const args = ['commit', '--quiet', '--only', '-m', message, '--', ...paths];
  const answer = await askGit(args, asUs);
  if (answer.exitCode === 0) return;
  // Git has no code of its own for a commit that would be empty: a repeat finds everything committed.
  const changed = await inOrder(['status', '--porcelain', '--', ...paths], call);
  if (changed !== '') throw conflict(args, answer, call);
}

async function push(remote: string, { renew }: Publication, call: GitCall): Promise<void> {
  const branch = await inOrder(['symbolic-ref', '--short', 'HEAD'], call);
  for (let tries = 1; ; tries += 1) {
    const settled = await takeOver(remote, branch, call);
    await commit(await renew(settled), 'Renew the index of the notes', call);
    const target = `HEAD:refs/heads/${branch}`;
    const pushed = await askGit(['push', '--quiet', '--porcelain', remote, target], call);
    if (pushed.exitCode === 0) return;
    // Only a rejected ref is listed with "!": anything else means that the remote was not reached.
    if (!/^!\t/m.test(pushed.stdout) || tries === maxPushes) throw unavailable(remote, pushed);
    await wait(Math.random() * longestPauseMs);
  }
}

/** Puts our commits on top of what others pushed; returns files whose generated parts both sides had changed. */
async function takeOver(remote: string, branch: string, call: GitCall): Promise<readonly string[]> {
  const fetched = await askGit(['fetch', '--quiet', remote, branch], call);
  if (fetched.exitCode !== 0) {
    const there = await askGit(['ls-remote', '--exit-code', '--heads', remote, branch], call);
    // Of git ls-remote: the remote answered, and has no such branch yet.
    if (there.exitCode === 2) return [];
    throw unavailable(remote, fetched);
  }
  // Also where a person merged by hand: what is in already must not be replayed.
  const known = await askGit(['merge-base', '--is-ancestor', 'FETCH_HEAD', 'HEAD'], call);
  if (known.exitCode === 0) return [];
  const asUs = { ...call, extraEnvironment: committerEnvironment };
  const rebased = await askGit(['rebase', '--quiet', '--autostash', 'FETCH_HEAD'], asUs);
  if (rebased.exitCode === 0) return [];
  const settled = await settleConflict(asUs);
  if (settled !== null) return settled;
  await askGit(['rebase', '--abort'], call);
  throw new Failure(
    'VaultConflict',
    `the vault cannot take over what others pushed to ${branch}: ${lastWords(rebased)}; merge it by hand, then it goes on`,
  );
}

/** Git calls that fail only where a person is in the middle of something. */
async function inOrder(args: readonly string[], call: GitCall): Promise<string> {
  const answer = await askGit(args, call);
  if (answer.exitCode === 0) return answer.stdout.trim();
  throw conflict(args, answer, call);
}

function conflict(args: readonly string[], answer: GitAnswer, { cwd }: GitCall): Failure {
  return new Failure(
    'VaultConflict',
    `git ${args[0] ?? ''} in the vault ${cwd} failed: ${lastWords(answer)}; finish or undo what is open there, then it goes on`,
  );
}

export function unavailable(address: string, answer: GitAnswer): Failure {
  const where = address.replace(/\/\/[^/@]*@/, '//');
  return new Failure('VaultUnavailable', `the vault's remote ${where} cannot be used: ${lastWords(answer)}`);
}

function lastWords({ stderr, stdout }: GitAnswer): string {
  const text = (stderr.trim() || stdout.trim()).split('\n').slice(-3).join(' ');
  return text.replaceAll(/\/\/[^/@\s]*@/g, '//');
}
