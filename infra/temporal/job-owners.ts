import {
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionDescription,
  type WorkflowExecutionStatusName,
} from '@temporalio/client';

import { experimentWorkflowId, jobWorkflowId, parseJobWorkflowId } from '../../domain/ids.ts';
import type { JobOwner } from '../../domain/orphan.ts';
import { searchAttributes } from '../../workflows/contract.ts';

interface AttemptKey {
  readonly experimentId: string;
  readonly attempt: number;
  readonly seed: number;
}

/** Ids in one query; Temporal limits its length. */
const idsPerQuery = 50;

/** How each way of ending is told; a status that is not here is no end, a paused workflow included. */
const endings: Partial<Record<WorkflowExecutionStatusName, string>> = {
  COMPLETED: 'ended',
  FAILED: 'failed',
  CANCELLED: 'was cancelled',
  TERMINATED: 'was terminated',
  TIMED_OUT: 'timed out',
};

/** Of these job workflows the ids that Temporal's index shows as running. The index may lag: absence proves nothing. */
export async function findRunningJobWorkflows(
  client: Client,
  workflowIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const running = new Set<string>();
  for (let start = 0; start < workflowIds.length; start += idsPerQuery) {
    const ids = workflowIds.slice(start, start + idsPerQuery).map((id) => `'${id}'`);
    const query = `ExecutionStatus = 'Running' AND WorkflowId IN (${ids.join(', ')})`;
    for await (const { workflowId } of client.workflow.list({ query })) running.add(workflowId);
  }
  return running;
}

/**
 * Who owns the job of an attempt, from the workflows themselves and not from the index, and the jobs that its workflow
 * recorded. `claimed`: a job has claimed the attempt, so that a workflow that is not there is one that was.
 */
export async function findJobOwner(
  client: Client,
  { claimed, ...key }: AttemptKey & { readonly claimed: boolean },
): Promise<{ readonly owner: JobOwner; readonly jobIds: readonly string[] }> {
  const job = await describe(client, jobWorkflowId(key.experimentId, key.attempt, key.seed));
  if (job !== null) {
    const jobIds = job.typedSearchAttributes.get(searchAttributes.jobIds) ?? [];
    return { owner: ownerBy(job, 'its workflow'), jobIds };
  }
  const experiment = await describe(client, experimentWorkflowId(key.experimentId));
  const owner = experiment === null ? null : ownerBy(experiment, 'its experiment');
  // An experiment that runs is about to start the workflow of an attempt that no job has claimed yet.
  if (owner === null || (owner.status === 'owned' && claimed))
    return { owner: { status: 'unknown' }, jobIds: [] };
  return { owner, jobIds: [] };
}

export interface ClosedJobWorkflows {
  readonly keys: readonly AttemptKey[];
  /** Opaque; null after the last page. */
  readonly next: string | null;
}

/**
 * A page of the attempts whose workflow created a job and has then ended otherwise than well since that moment (ISO
 * 8601), by Temporal's index.
 */
export async function listClosedJobWorkflows(
  client: Client,
  { since, after, limit }: { readonly since: string; readonly after: string | null; readonly limit: number },
): Promise<ClosedJobWorkflows> {
  const query =
    `WorkflowType = 'JobWorkflow' AND ${searchAttributes.jobIds.name} IS NOT NULL AND CloseTime > '${since}' AND ` +
    "ExecutionStatus IN ('Failed', 'Canceled', 'Terminated', 'TimedOut')";
  const { executions, nextPageToken } = await client.workflowService.listWorkflowExecutions({
    namespace: client.options.namespace,
    query,
    pageSize: limit,
    ...(after !== null && { nextPageToken: Buffer.from(after, 'base64') }),
  });
  const keys = executions.flatMap(({ execution }) => parseJobWorkflowId(execution?.workflowId ?? '') ?? []);
  const more = nextPageToken.length > 0;
  return { keys, next: more ? Buffer.from(nextPageToken).toString('base64') : null };
}

async function describe(client: Client, workflowId: string): Promise<WorkflowExecutionDescription | null> {
  try {
    return await client.workflow.getHandle(workflowId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

function ownerBy({ status, closeTime }: WorkflowExecutionDescription, who: string): JobOwner {
  const ending = endings[status.name];
  if (ending === undefined || closeTime === undefined) return { status: 'owned', by: who };
  return { status: 'closed', since: closeTime.getTime(), how: `${who} ${ending}` };
}
