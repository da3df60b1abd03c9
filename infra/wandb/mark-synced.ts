import { writeFile } from 'node:fs/promises';

import { isLockless } from './hold-run.ts';

/**
 * Leaves the mark by which `wandb sync` passes a run over and `wandb clean` may delete it. The client leaves it after
 * failures, too; here it stands for what was read back. Where nothing can be written, nothing is.
 */
export async function markSynced(logs: readonly string[]): Promise<void> {
  for (const log of logs) {
    try {
      await writeFile(`${log}.synced`, '');
    } catch (error) {
      if (!isLockless(error)) throw error;
    }
  }
}
