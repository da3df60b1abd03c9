import { ServiceError, type WorkflowHandle } from '@temporalio/client';

import type { ExperimentStatus } from '../../../domain/experiment.ts';
import { statusQuery } from '../../../workflows/contract.ts';
import type { ExperimentWorkflow } from '../../../workflows/index.ts';
import { pause } from '../../../infra/pause.ts';

/** Each worker that is asked may be killed before it answers, and then the answer is waited for in vain for ten seconds. */
const patienceMs = 300_000;

/** Asks an experiment about itself, again where the worker that was asked has been killed meanwhile. */
export async function askStatus(
  handle: WorkflowHandle<typeof ExperimentWorkflow>,
): Promise<ExperimentStatus> {
  const limit = Date.now() + patienceMs;
  for (;;) {
    try {
      return await handle.query(statusQuery);
    } catch (error) {
      if (!(error instanceof ServiceError) || Date.now() > limit) throw error;
      await pause(500);
    }
  }
}
