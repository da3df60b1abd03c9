import { WorkflowNotFoundError, type WorkflowExecutionDescription } from '@temporalio/client';

import { experimentWorkflowId } from '../domain/ids.ts';
import type { ExperimentStatus } from '../domain/experiment.ts';
import { outcomes } from '../domain/phase.ts';
import { searchAttributes, statusQuery } from '../workflows/contract.ts';
import { ClientError } from './client-error.ts';
import { executionOf, workflowUrl } from './execution.ts';
import type { SeenExperiment } from './seen-experiment.ts';
import type { TemporalLink } from './temporal-link.ts';

const describeDeadlineMs = 8000;
const queryDeadlineMs = 4000;

/**
 * What the experiment says of itself, ended ones included; when no worker answers, what Temporal knows of it.
 * Throws `ClientError`: `not-found`, `unreachable`.
 */
export async function seeExperiment(link: TemporalLink, id: string): Promise<SeenExperiment> {
  const description = await describeExperiment(link, id);
  const answer = await askStatus(link, id, description.runId);
  const execution = executionOf(description.status.name);
  const told = answer.status?.phase ?? description.typedSearchAttributes.get(searchAttributes.phase);
  return {
    id,
    workflowId: description.workflowId,
    runId: description.runId,
    execution,
    phase: phaseOf(told, execution),
    startedAt: description.startTime.toISOString(),
    endedAt: description.closeTime?.toISOString() ?? null,
    url: workflowUrl(link.settings, description.workflowId, description.runId),
    ...answer,
  };
}

/** Throws `ClientError`: `not-found`, `unreachable`. */
export async function describeExperiment(
  link: TemporalLink,
  id: string,
): Promise<WorkflowExecutionDescription> {
  try {
    return await link.within(describeDeadlineMs, () =>
      link.client.workflow.getHandle(experimentWorkflowId(id)).describe(),
    );
  } catch (error) {
    throw error instanceof WorkflowNotFoundError ? notFound(id, error) : error;
  }
}

export function notFound(id: string, cause: unknown): ClientError {
  const message = `There is no experiment "${id}". \`hephaestus list\` shows all of them.`;
  return new ClientError('not-found', message, cause);
}

type Answer = Pick<SeenExperiment, 'status' | 'unanswered'>;

async function askStatus(link: TemporalLink, id: string, runId: string): Promise<Answer> {
  try {
    const handle = link.client.workflow.getHandle(experimentWorkflowId(id), runId);
    const status: ExperimentStatus = await link.within(queryDeadlineMs, () => handle.query(statusQuery));
    return { status, unanswered: null };
  } catch (error) {
    // Temporal itself answered a moment ago, so what is missing is a worker (or one that can run this workflow).
    const unanswered =
      error instanceof ClientError
        ? 'no worker answers for it; start one with `hephaestus worker --zone control`'
        : `its worker cannot answer (${error instanceof Error ? error.message : String(error)})`;
    return { status: null, unanswered };
  }
}

function phaseOf(told: string | undefined, execution: SeenExperiment['execution']): string {
  if (execution === 'running') return told ?? 'not begun';
  // What was terminated by hand still tells the phase in which it was.
  return told !== undefined && (outcomes as readonly string[]).includes(told) ? told : execution;
}
