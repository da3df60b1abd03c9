import { CancellationScope, isCancellation, log } from '@temporalio/workflow';

import type { SyncInput } from '../activities/wandb/interface.ts';
import { mirror } from './activities.ts';
import { namedFailure } from './failures.ts';

/** W&B writes to the disk each 15 seconds; more looks would find nothing new. */
const mirrorPollSeconds = 10;

/**
 * Mirrors a run while `work` goes on, and stops with it. A mirror that fails costs the live curves and nothing else: the
 * end sends what is missing. Costs three events of history, however long the work takes.
 */
export async function mirrorBeside<T>(input: SyncInput, work: () => Promise<T>): Promise<T> {
  const scope = new CancellationScope();
  const mirroring = scope
    .run(() =>
      mirror.mirrorRun.executeWithOptions({ summary: `live curves of run ${input.runId}` }, [
        { ...input, pollSeconds: mirrorPollSeconds },
      ]),
    )
    .catch((error: unknown) => {
      if (isCancellation(error)) return;
      log.warn('the live curves have stopped, the job goes on', { ...namedFailure(error) });
    });
  try {
    return await work();
  } finally {
    scope.cancel();
    await mirroring;
  }
}
