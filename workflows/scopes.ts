import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { Duration } from '@temporalio/common';

/**
 * Runs `background` beside `main` until `main` has ended, then cancels it and waits for it to be gone. An error of the
 * background (other than that cancellation) ends `main`'s waiting too.
 */
export async function beside<T>(background: () => Promise<unknown>, main: () => PromiseLike<T>): Promise<T> {
  const scope = new CancellationScope();
  const running = scope.run(background);
  const gone = running.catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
  });
  const failing = gone.then(() => new Promise<never>(() => undefined));
  try {
    return await Promise.race([main(), failing]);
  } finally {
    scope.cancel();
    await gone;
  }
}

/** Runs several ways to one result side by side: the first one that has it ends the others. */
export async function first<T>(ways: readonly (() => Promise<T>)[]): Promise<T> {
  const scope = new CancellationScope();
  try {
    return await scope.run(() => Promise.race(ways.map((way) => way())));
  } finally {
    scope.cancel();
  }
}

/** Runs `act` for at most that long; returns undefined when the time was over first. Somebody's stop passes through. */
export async function within<T>(time: Duration, act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await CancellationScope.withTimeout(time, act);
  } catch (error) {
    // Both the time-out and a stop end the scope; only the time-out leaves the surrounding one uncancelled.
    if (isCancellation(error) && !CancellationScope.current().consideredCancelled) return undefined;
    throw error;
  }
}
