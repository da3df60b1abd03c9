import { CancellationScope, isCancellation } from '@temporalio/workflow';

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
