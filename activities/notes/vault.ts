import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import writeFileAtomic from 'write-file-atomic';

import { childEnvironment } from '../../infra/agents/child-environment.ts';
import { Failure } from '../../infra/failure.ts';
import { askGit, git, type GitCall } from '../../infra/git/run-git.ts';
import { withLock } from '../../infra/git/with-lock.ts';
import { type Catalogue, createCatalogueReader } from './catalogue.ts';
import { publishNotes, unavailable } from './publish-notes.ts';
import { renewBlocks } from './renew-blocks.ts';

export interface VaultDeps {
  /** A folder (absolute path) or the address of a git repository. */
  readonly vault: string;
  /** Absolute path of a folder of this machine; a clone of the vault and what is known of its notes go here. */
  readonly scratchDir: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Vault {
  /** The file's text; null when there is none. */
  read(path: string): Promise<string | null>;
  write(path: string, text: string): Promise<void>;
  /** File names without `.md` of the notes about an experiment, oldest first. */
  notesOf(experimentId: string): Promise<string[]>;
  /** Every note, as it stands on disk now. */
  catalogue(): Promise<Catalogue>;
  /**
   * Renews the index and the backlinks, commits them with this note and pushes where there is a remote; null when the
   * vault is no git repository.
   */
  publish(path: string, message: string): Promise<string | null>;
  /** Takes over what others pushed to a vault that is a remote; false when it could not be had. */
  update(): Promise<boolean>;
}

/** What a person's own git needs to reach their remote. */
const personal = ['HOME', 'XDG_CONFIG_HOME', 'SSH_AUTH_SOCK', 'SSH_ASKPASS', 'GIT_SSH_COMMAND'];

/** Runs `work` on the vault while nobody else of this worker's kind writes to it. */
export type OpenVault = <T>(signal: AbortSignal, work: (vault: Vault) => Promise<T>) => Promise<T>;

/**
 * The way into a vault. What is done in it throws `VaultUnavailable` when it cannot be reached or written,
 * `VaultConflict` when git is in the middle of something else or histories do not fit.
 */
export function createVault(deps: VaultDeps): OpenVault {
  const remote = isRemote(deps.vault);
  const name = createHash('sha256').update(deps.vault).digest('hex').slice(0, 16);
  const folder = remote ? join(deps.scratchDir, 'vaults', name) : deps.vault;
  const reader = createCatalogueReader(join(deps.scratchDir, 'vaults', `${name}.notes.json`));
  return (signal, work) => {
    const call: GitCall = { cwd: folder, environment: vaultEnvironment(deps), signal, personal: true };
    return withLock(join(deps.scratchDir, 'vaults', `${name}.vault`), signal, async () => {
      await reachable(deps.vault, () => (remote ? clone(deps.vault, folder, call) : make(folder, call)));
      return work({
        read: (path) => readNote(join(folder, path)),
        write: (path, text) => reachable(deps.vault, () => writeFileAtomic(join(folder, path), text)),
        notesOf: (experimentId) => notesOf(folder, experimentId),
        catalogue: () => reader.read(folder),
        publish: (path, message) => {
          const renew = (settled: readonly string[]): Promise<string[]> =>
            reachable(deps.vault, () => renewBlocks(folder, reader, [path, ...settled]));
          return publishNotes({ path, message, renew }, call);
        },
        async update() {
          if (!remote) return true;
          const answer = await askGit(['pull', '--quiet', '--ff-only'], call);
          return answer.exitCode === 0;
        },
      });
    });
  };
}

function isRemote(vault: string): boolean {
  return /^(?:https?|ssh|git|file):\/\//.test(vault) || /^[\w.-]+@[\w.-]+:/.test(vault);
}

function vaultEnvironment({ environment }: VaultDeps): Record<string, string> {
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

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
