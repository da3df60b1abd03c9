import { WorkflowIdConflictPolicy, type Client } from '@temporalio/client';

import { queues } from '../../workflows/contract.ts';

export const notifierWorkflowId = 'hephaestus-notifier';

/** The notifier runs once and always: the first worker starts it, the others find it. What ended before is not told. */
export async function startNotifier(client: Client): Promise<void> {
  await client.workflow.start('NotifierWorkflow', {
    workflowId: notifierWorkflowId,
    taskQueue: queues.experiments,
    args: [{ since: new Date().toISOString() }],
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    staticSummary: 'tells people what waits for them',
  });
}
