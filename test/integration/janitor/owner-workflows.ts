import { condition, upsertSearchAttributes } from '@temporalio/workflow';

import { searchAttributes } from '../../../workflows/contract.ts';

export { JanitorWorkflow } from '../../../workflows/janitor-workflow.ts';

/** In place of the real one: says which jobs it created, and waits until it is ended from outside. */
export async function JobWorkflow(jobIds: readonly string[]): Promise<void> {
  upsertSearchAttributes([{ key: searchAttributes.jobIds, value: [...jobIds] }]);
  await condition(() => false);
}

/** In place of the real one: runs until it is ended from outside. */
export async function ExperimentWorkflow(): Promise<void> {
  await condition(() => false);
}
