import type { WorkflowExecutionInfo } from '@temporalio/client';

import { searchAttributes } from '../workflows/contract.ts';
import { executionOf, experimentIdOf } from './execution.ts';
import type { ListedExperiment } from './seen-experiment.ts';
import type { TemporalLink } from './temporal-link.ts';

export interface ListFilter {
  /** Only experiments that have not ended. */
  readonly open?: boolean;
  readonly limit?: number;
}

const listDeadlineMs = 10_000;

/** The newest first; of an experiment that was started again after a failure only its latest life. */
export async function listExperiments(
  link: TemporalLink,
  { open = false, limit = 50 }: ListFilter = {},
): Promise<ListedExperiment[]> {
  const query = `WorkflowType = 'ExperimentWorkflow'${open ? " AND ExecutionStatus = 'Running'" : ''}`;
  const newest = new Map<string, ListedExperiment>();
  await link.within(listDeadlineMs, async () => {
    for await (const info of link.client.workflow.list({ query })) {
      const listed = toListed(info);
      if (!newest.has(listed.id)) newest.set(listed.id, listed);
      if (newest.size >= limit) return;
    }
  });
  return [...newest.values()];
}

/** Ids of the running experiments whose pull request this is; `reference` is `owner/name#n`. */
export async function findByPullRequest(link: TemporalLink, reference: string): Promise<string[]> {
  if (!/^[\w.-]+\/[\w.-]+#\d+$/.test(reference)) return [];
  const query = `WorkflowType = 'ExperimentWorkflow' AND ExecutionStatus = 'Running' AND ${searchAttributes.pullRequest.name} = '${reference}'`;
  return link.within(listDeadlineMs, async () => {
    const ids: string[] = [];
    for await (const { workflowId } of link.client.workflow.list({ query }))
      ids.push(experimentIdOf(workflowId));
    return ids;
  });
}

function toListed(info: WorkflowExecutionInfo): ListedExperiment {
  const attributes = info.typedSearchAttributes;
  const execution = executionOf(info.status.name);
  const phase = attributes.get(searchAttributes.phase);
  return {
    id: experimentIdOf(info.workflowId),
    execution,
    phase: phase ?? (execution === 'running' ? 'not begun' : execution),
    repository: attributes.get(searchAttributes.repository) ?? null,
    pullRequest: attributes.get(searchAttributes.pullRequest) ?? null,
    jobIds: attributes.get(searchAttributes.jobIds) ?? [],
    outcome: attributes.get(searchAttributes.outcome) ?? null,
    gpuHours: attributes.get(searchAttributes.gpuHours) ?? null,
    startedAt: info.startTime.toISOString(),
    endedAt: info.closeTime?.toISOString() ?? null,
  };
}
