import { chmod, mkdir, mkdtemp, readdir, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { lock } from 'proper-lockfile';

export interface PublishOptions {
  readonly root: string;
  /** `python` or `agents`: builds of one kind wait for each other. */
  readonly kind: string;
  /** Names the content; another digest is another folder. */
  readonly digest: string;
  /** Whether a folder that was published earlier still works; one that does not is made again. */
  readonly works: (folder: string) => Promise<boolean>;
  /** Fills the folder, at the path where it will stay. Must stop when the signal fires. */
  readonly build: (folder: string, signal: AbortSignal) => Promise<void>;
  readonly onWait?: () => void;
}

/** A lock not refreshed for this long belongs to a process that is gone. */
const staleMs = 15_000;
const waitMs = 500;
const longestWaitMs = 15 * 60_000;

/**
 * Makes `<root>/<kind>-<digest>` once. The content is built in a folder of its own, at its final path because virtual
 * environments hold absolute paths, and a link with the public name is put in place by a rename only when it is whole.
 * So whatever dies in between leaves a folder that no link names; the next build removes it.
 */
export async function publishOnce(options: PublishOptions): Promise<string> {
  const { root, kind, digest, works } = options;
  const published = join(root, `${kind}-${digest}`);
  if (await works(published)) return published;
  await mkdir(root, { recursive: true });
  const compromised = new AbortController();
  const release = await lockKind(options, (error) => compromised.abort(error));
  try {
    if (await works(published)) return published;
    await removeLeftovers(root, kind);
    const folder = await mkdtemp(join(root, `${kind}-${digest}.`));
    await chmod(folder, 0o755);
    await options.build(folder, compromised.signal);
    compromised.signal.throwIfAborted();
    const link = `${folder}.link`;
    await symlink(basename(folder), link);
    await rename(link, published);
    return published;
  } finally {
    // A compromised lock is somebody else's by now.
    if (!compromised.signal.aborted) await release();
  }
}

async function lockKind(
  options: PublishOptions,
  onLost: (error: Error) => void,
): Promise<() => Promise<void>> {
  const { root, kind } = options;
  // proper-lockfile tells locks apart by this path, which need not exist; the lock itself stands at `<path>.lock`.
  const path = join(root, kind);
  const lockOptions = {
    realpath: false,
    stale: staleMs,
    onCompromised: onLost,
  };
  try {
    return await lock(path, lockOptions);
  } catch (error) {
    if (!isLocked(error)) throw error;
  }
  options.onWait?.();
  const retries = { retries: longestWaitMs / waitMs, factor: 1, minTimeout: waitMs, maxTimeout: waitMs };
  return lock(path, { ...lockOptions, retries });
}

async function removeLeftovers(root: string, kind: string): Promise<void> {
  const names = (await readdir(root)).filter((name) => name.startsWith(`${kind}-`));
  const inUse = new Set<string>();
  for (const name of names.filter((candidate) => !candidate.includes('.'))) {
    inUse.add(name).add(await targetOf(join(root, name)));
  }
  for (const name of names.filter((candidate) => !inUse.has(candidate))) {
    // An orphaned installer may still be writing there: what cannot be removed now is removed next time.
    await rm(join(root, name), { recursive: true, force: true, maxRetries: 2 }).catch(() => undefined);
  }
}

/** Where a link leads; '' where something else stands, as an earlier version left it. */
async function targetOf(path: string): Promise<string> {
  try {
    return await readlink(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EINVAL') return '';
    throw error;
  }
}

function isLocked(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ELOCKED';
}

/** Whether all these files exist below the folder, links followed. */
export async function hasAll(folder: string, paths: readonly string[]): Promise<boolean> {
  const found = await Promise.all(
    paths.map((path) =>
      stat(join(folder, path)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.every(Boolean);
}
