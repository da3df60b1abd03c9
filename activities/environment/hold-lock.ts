import { setTimeout } from 'node:timers/promises';

import { check, lock } from 'proper-lockfile';

import { Failure } from '../../infra/failure.ts';

/** A lock not refreshed for this long belongs to a process that is gone. */
const staleMs = 15_000;
const waitMs = 300;

/**
 * Runs `work` while no other process, on any machine that mounts the disk, holds the lock of `path`. The lock of a
 * killed process is taken over; one that is lost while held (a machine that slept) aborts the signal given to `work`.
 */
export async function holdLock<T>(
  path: string,
  signal: AbortSignal,
  work: (held: AbortSignal) => Promise<T>,
): Promise<T> {
  const lost = new AbortController();
  const release = await acquire(path, signal, (error) => {
    lost.abort(
      new Failure('SharedDiskUnavailable', `The lock of ${path} was lost; another builder may hold it now.`, {
        cause: error,
      }),
    );
  });
  try {
    return await work(AbortSignal.any([signal, lost.signal]));
  } finally {
    // A lost lock is somebody else's by now.
    if (!lost.signal.aborted) await release();
  }
}

/** Runs `work` if nobody holds the lock of `path`; otherwise answers undefined at once. */
export async function whenUnlocked<T>(path: string, work: () => Promise<T>): Promise<T | undefined> {
  const release = await tryLock(path, () => undefined);
  if (release === undefined) return undefined;
  try {
    return await work();
  } finally {
    await release();
  }
}

async function acquire(
  path: string,
  signal: AbortSignal,
  onCompromised: (error: Error) => void,
): Promise<() => Promise<void>> {
  for (;;) {
    signal.throwIfAborted();
    const release = await tryLock(path, onCompromised);
    if (release !== undefined) return release;
    await setTimeout(waitMs, undefined, { signal });
  }
}

async function tryLock(
  path: string,
  onCompromised: (error: Error) => void,
): Promise<(() => Promise<void>) | undefined> {
  try {
    return await lock(path, { realpath: false, stale: staleMs, onCompromised });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ELOCKED') return undefined;
    throw error;
  }
}

/** Whether somebody holds the lock of `path` at this moment. */
export async function isHeld(path: string): Promise<boolean> {
  return check(path, { realpath: false, stale: staleMs });
}
