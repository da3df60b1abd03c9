import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { lock } from 'proper-lockfile';

import { Failure } from '../failure.ts';
import { unlessMissing } from '../unless-missing.ts';

/** A lock that was not renewed for so long belongs to a process that is gone. */
const staleMs = 8_000;
const renewMs = 2_000;
const lookMs = 500;
/** Codes by which a disk says that no lock can be made there: read-only, not ours, full, or something else stands there. */
const lockless = new Set([
  'EROFS',
  'EACCES',
  'EPERM',
  'ENOSPC',
  'EDQUOT',
  'ENOTSUP',
  'ENOSYS',
  'EINVAL',
  'ENOTDIR',
]);

/** How long it is worth waiting for a lock whose holder may have been killed. */
export const outlastsKilled = staleMs + 5_000;

export interface Held {
  /**
   * False where another process may do the same at this moment: no lock can be made, or there was one that seemed to be
   * given up. That is judged by times of the disk, which may be those of another machine, or old.
   */
  readonly alone: boolean;
  /** Also aborted when the lock was lost, for example because this machine slept. */
  readonly signal: AbortSignal;
}

export interface HoldOptions {
  /** The fragments of the run. */
  readonly logs: readonly string[];
  /** How long to wait for another holder. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

/** Does something with a run while it is held; throws what `takeRun` throws. */
export async function holdRun<T>(options: HoldOptions, act: (held: Held) => Promise<T>): Promise<T> {
  const taken = await takeRun(options);
  try {
    return await act(taken);
  } finally {
    await taken.release();
  }
}

/**
 * Keeps a run from every other process, on whatever machine that sees the disk: the sync agent, a worker, or either of
 * them twice. The lock is a folder beside each log, since making one is atomic also where file locks do not work. Throws
 * `WandbRunHeld` when another process has it, and the signal's reason.
 */
export async function takeRun(
  options: HoldOptions,
): Promise<Held & { readonly release: () => Promise<void> }> {
  const lost = new AbortController();
  const signal = AbortSignal.any([options.signal, lost.signal]);
  const releases: (() => Promise<void>)[] = [];
  // A lost lock is somebody else's by now.
  const release = async (): Promise<void> => {
    if (!lost.signal.aborted) for (const each of releases.splice(0)) await each();
  };
  let alone = true;
  try {
    for (const log of options.logs) {
      const taken = await take(log, options, (error) => lost.abort(heldByAnother(log, error)));
      if (taken?.fresh !== true) alone = false;
      if (taken !== null) releases.push(taken.release);
    }
  } catch (error) {
    await release();
    throw error;
  }
  return { alone, signal, release };
}

/** Null where no lock can be made. */
async function take(
  log: string,
  { waitMs, signal }: HoldOptions,
  onCompromised: (error: Error) => void,
): Promise<{ readonly fresh: boolean; readonly release: () => Promise<void> } | null> {
  const until = performance.now() + waitMs;
  for (;;) {
    signal.throwIfAborted();
    const fresh = (await unlessMissing(stat(`${log}.lock`))) === undefined;
    try {
      const options = { realpath: false, stale: staleMs, update: renewMs, onCompromised };
      return { fresh, release: await lock(log, options) };
    } catch (error) {
      if (isLockless(error)) return null;
      if (codeOf(error) !== 'ELOCKED') throw error;
      if (performance.now() >= until) throw heldByAnother(log, error);
    }
    await sleep(lookMs, undefined, { signal });
  }
}

/** Whether a failure says that nothing can be written on that disk. */
export function isLockless(error: unknown): boolean {
  return lockless.has(codeOf(error));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function heldByAnother(log: string, cause: unknown): Failure {
  return new Failure(
    'WandbRunHeld',
    `Another process brings this run up: it holds ${log}.lock. Two at once could double its rows, so this one waits. Nothing is to be done; a lock whose holder was killed is free after ${staleMs / 1000} s.`,
    { cause, retryAfterMs: staleMs },
  );
}
