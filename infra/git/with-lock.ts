import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { lock } from 'proper-lockfile';

import { Failure } from '../failure.ts';

const staleMs = 30_000;
const retryMs = 250;

/**
 * Runs `work` while it alone holds `<file>.lock`, on this machine and on every other that sees the disk. Waits as long as
 * it takes; a lock whose holder died is free after 30 s.
 */
export async function withLock<T>(
  file: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  const held = await acquire(file, signal);
  try {
    const result = await work();
    if (held.lost() !== null) {
      throw new Failure(
        'GitFailed',
        `the lock ${file}.lock was lost to another holder; is the disk slow or stuck?`,
      );
    }
    return result;
  } finally {
    if (held.lost() === null) await held.release();
  }
}

interface Held {
  readonly release: () => Promise<void>;
  /** Set once somebody else may have taken the lock, for example after this machine slept. */
  readonly lost: () => Error | null;
}

async function acquire(file: string, signal: AbortSignal | undefined): Promise<Held> {
  let lost: Error | null = null;
  const onCompromised = (error: Error): void => {
    lost = error;
  };
  for (;;) {
    signal?.throwIfAborted();
    try {
      const release = await lock(file, {
        realpath: false,
        stale: staleMs,
        update: staleMs / 3,
        onCompromised,
      });
      return { release, lost: () => lost };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ELOCKED')) throw error;
    }
    await wait(retryMs);
  }
}
