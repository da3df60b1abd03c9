import type { SyncedRun, SyncInput } from '../activities/wandb/interface.ts';
import { wandb } from './activities.ts';

/**
 * Brings one W&B run to the server. Its workflow id is the lock: never two syncs of one run at once, because two of them
 * would double its rows.
 */
export async function SyncRunWorkflow(input: SyncInput): Promise<SyncedRun> {
  return wandb.syncRun.executeWithOptions({ summary: `W&B run ${input.runId}` }, [input]);
}
