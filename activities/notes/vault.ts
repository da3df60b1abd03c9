import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import writeFileAtomic from 'write-file-atomic';

import { childEnvironment } from '../../infra/agents/child-environment.ts';
import { Failure } from '../../infra/failure.ts';
import { committerEnvironment } from '../../infra/git/committer.ts';
import { askGit, git, type GitAnswer, type GitCall } from '../../infra/git/run-git.ts';
import { withLock } from '../../infra/git/with-lock.ts';
import type { NotesDeps } from './notes-deps.ts';

export interface Vault {
  /** The file's text; null when there is none. */
  read(path: string): Promise<string | null>;
  write(path: string, text: string): Promise<void>;
  /** File names without `.md` of the notes about an experiment, oldest first. */
  notesOf(experimentId: string): Promise<string[]>;
  /** Commits this one file and pushes where there is a remote; null when the vault is no git repository. */
  publish(path: string, message: string): Promise<string | null>;
}

/** What a person's own git needs to reach their remote. */
const personal = ['HOME', 'XDG_CONFIG_HOME', 'SSH_AUTH_SOCK', 'SSH_ASKPASS', 'GIT_SSH_COMMAND'];
const maxPushes = 5;

/**
 * Runs `work` on the vault while nobody else of this worker's kind writes to it. Throws `VaultUnavailable` when it cannot
 * be reached or written, `VaultConflict` when git is in the middle of something else or histories do not fit.
 */
export async function withVault<T>(
  deps: NotesDeps,
  signal: AbortSignal,
  work: (vault: Vault) => Promise<T>,
): Promise<T> {
  const remote = isRemote(deps.vault);
  const name = createHash('sha256').update(deps.vault).digest('hex').slice(0, 16);
  const folder = remote ? join(deps.scratchDir, 'vaults', name) : deps.vault;
  const call: GitCall = { cwd: folder, environment: vaultEnvironment(deps), signal, personal: true };
  return withLock(join(deps.scratchDir, 'vaults', `${name}.vault`), signal, async () => {
    await reachable(deps.vault, () => (remote ? clone(deps.vault, folder, call) : make(folder, call)));
    return work({
      read: (path) => readNote(join(folder, path)),
      write: (path, text) => reachable(deps.vault, () => writeFileAtomic(join(folder, path), text)),
      notesOf: (experimentId) => notesOf(folder, experimentId),
      publish: (path, message) => publish(path, message, call),
    });
  });
}

function isRemote(vault: string): boolean {
  return /^(?:https?|ssh|git|file):\/\//.test(vault) || /^[\w.-]+@[\w.-]+:/.test(vault);
}

function vaultEnvironment({ environment }: NotesDeps): Record<string, string> {
  const own = personal.flatMap((key) => {
    const value = environment[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  return { ...childEnvironment(environment), ...Object.fromEntries(own) };
}

/** Made beside and moved into place: a folder with the vault's name is always a repository of ours, or the person's own. */
async function make(folder: string, call: GitCall): Promise<void> {
  if (await exists(folder)) return;
  const temporary = `${folder}.${randomUUID()}.tmp`;
  await mkdir(temporary, { recursive: true });
  await git(['init', '--quiet', '--initial-branch=main'], { ...call, cwd: temporary });
  await rename(temporary, folder);
}

async function clone(address: string, folder: string, call: GitCall): Promise<void> {
  if (await exists(folder)) return;
  const temporary = `${folder}.${randomUUID()}.tmp`;
  await mkdir(dirname(folder), { recursive: true });
  const args = ['clone', '--quiet', '--', address, temporary];
  const answer = await askGit(args, { ...call, cwd: dirname(folder) });
  if (answer.exitCode !== 0) throw unavailable(address, answer);
  await rename(temporary, folder);
}

async function publish(path: string, message: string, call: GitCall): Promise<string | null> {
  const inside = await askGit(['rev-parse', '--is-inside-work-tree'], call);
  const ignored = await askGit(['check-ignore', '--quiet', '--', path], call);
  if (inside.exitCode !== 0 || ignored.exitCode === 0) return null;
  await inOrder(['add', '--', path], call);
  const changed = await inOrder(['status', '--porcelain', '--', path], call);
  if (changed !== '') {
    const commit = { ...call, extraEnvironment: committerEnvironment };
    await inOrder(['commit', '--quiet', '--only', '-m', message, '--', path], commit);
  }
  const remote = (await inOrder(['remote'], call)).split('\n')[0] ?? '';
  if (remote !== '') await push(remote, call);
  return (await inOrder(['log', '-1', '--format=%H', '--', path], call)) || null;
}

/** Our notes go on top of what others pushed meanwhile. */
async function push(remote: string, call: GitCall): Promise<void> {
  const branch = await inOrder(['symbolic-ref', '--short', 'HEAD'], call);
  for (let tries = 1; ; tries += 1) {
    const pushed = await askGit(
      ['push', '--quiet', '--porcelain', remote, `HEAD:refs/heads/${branch}`],
      call,
    );
    if (pushed.exitCode === 0) return;
    // Only a rejected ref is listed with "!": anything else means that the remote was not reached.
    if (!/^!\t/m.test(pushed.stdout) || tries === maxPushes) throw unavailable(remote, pushed);
    const rebase = { ...call, extraEnvironment: committerEnvironment };
    const pulled = await askGit(['pull', '--quiet', '--rebase', '--autostash', remote, branch], rebase);
    if (pulled.exitCode === 0) continue;
    await askGit(['rebase', '--abort'], call);
    throw new Failure(
      'VaultConflict',
      `the vault cannot take over what others pushed to ${branch}: ${lastWords(pulled)}; merge it by hand, then it goes on`,
    );
  }
}

/** Git calls that fail only where a person is in the middle of something. */
async function inOrder(args: readonly string[], call: GitCall): Promise<string> {
  const answer = await askGit(args, call);
  if (answer.exitCode === 0) return answer.stdout.trim();
  throw new Failure(
    'VaultConflict',
    `git ${args[0] ?? ''} in the vault ${call.cwd} failed: ${lastWords(answer)}; finish or undo what is open there, then it goes on`,
  );
}

async function notesOf(folder: string, experimentId: string): Promise<string[]> {
  const names = await readdir(folder);
  return names
    .filter((name) => /^\d{14}-/.test(name) && name.slice(15) === `${experimentId}.md`)
    .map((name) => basename(name, '.md'))
    .toSorted();
}

async function readNote(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** The vault is no part of the shared disk: its errors must not be read as that one's. */
async function reachable<T>(vault: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = codeOf(error);
    if (error instanceof Failure || code === '') throw error;
    throw new Failure(
      'VaultUnavailable',
      `the vault ${vault} cannot be written (${code}); check HEPHAESTUS_VAULT and its permissions`,
      { cause: error },
    );
  }
}

function unavailable(address: string, answer: GitAnswer): Failure {
  const where = address.replace(/\/\/[^/@]*@/, '//');
  return new Failure('VaultUnavailable', `the vault's remote ${where} cannot be used: ${lastWords(answer)}`);
}

function lastWords({ stderr, stdout }: GitAnswer): string {
  const text = (stderr.trim() || stdout.trim()).split('\n').slice(-3).join(' ');
  return text.replaceAll(/\/\/[^/@\s]*@/g, '//');
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
