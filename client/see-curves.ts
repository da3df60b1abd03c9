import { QueryNotRegisteredError, QueryRejectedError, ServiceError } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';

import { experimentWorkflowId } from '../domain/ids.ts';
import { curvesQuery, type ExperimentCurves } from '../workflows/contract.ts';
import { ClientError } from './client-error.ts';
import { notFound } from './see-experiment.ts';
import type { TemporalLink } from './temporal-link.ts';

const queryDeadlineMs = 6000;

/**
 * The curves of an experiment as they stand; null while there is nothing to draw, and when no worker can answer.
 * Throws `ClientError` (`not-found`).
 */
export async function seeCurves(link: TemporalLink, id: string): Promise<ExperimentCurves | null> {
  const handle = link.client.workflow.getHandle(experimentWorkflowId(id));
  try {
    return await link.within(queryDeadlineMs, () => handle.query(curvesQuery));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw notFound(id, error);
    // A page without its picture still tells the rest; whether somebody answers at all is told by `see`.
    if (isUnanswered(error)) return null;
    throw error;
  }
}

/** Nobody is there, or only a worker from before there was this question. */
function isUnanswered(error: unknown): boolean {
  return (
    error instanceof ClientError ||
    error instanceof QueryNotRegisteredError ||
    error instanceof QueryRejectedError ||
    error instanceof ServiceError
  );
}
