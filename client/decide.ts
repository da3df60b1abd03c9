import {
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type WorkflowHandle,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';

import type { DecisionRequest } from '../domain/decision.ts';
import type { QualityRequest } from '../domain/decide-quality.ts';
import type { SettleRequest } from '../domain/decide-settle.ts';
import { experimentWorkflowId } from '../domain/ids.ts';
import {
  decideUpdate,
  nudgeSignal,
  qualityUpdate,
  settleUpdate,
  type NudgePayload,
} from '../workflows/contract.ts';
import { ClientError } from './client-error.ts';
import { notFound, seeExperiment } from './see-experiment.ts';
import type { TemporalLink } from './temporal-link.ts';

const decideDeadlineMs = 15_000;
/** GitHub gives a webhook ten seconds. */
const nudgeDeadlineMs = 5000;

/**
 * Says the PI's word and waits for the answer; returning means accepted.
 * Throws `ClientError`: `refused` with the experiment's reason, `not-found`, `unreachable`.
 */
export async function decide(link: TemporalLink, id: string, request: DecisionRequest): Promise<void> {
  return sayUpdate(link, id, (handle) => handle.executeUpdate(decideUpdate, { args: [request] }));
}

async function sayUpdate(
  link: TemporalLink,
  id: string,
  say: (handle: WorkflowHandle) => Promise<unknown>,
): Promise<void> {
  const handle = link.client.workflow.getHandle(experimentWorkflowId(id));
  try {
    await link.within(decideDeadlineMs, () => say(handle));
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) {
      throw new ClientError('refused', error.cause.message, error);
    }
    if (error instanceof WorkflowNotFoundError) throw await refusedOrNotFound(link, id, error);
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) throw unanswered(id, error);
    throw error;
  }
}

/**
 * Answers the question whether a submission left a job; returning means accepted.
 * Throws `ClientError`: `refused` with the reason, `not-found`, `unreachable`.
 */
export async function settle(link: TemporalLink, id: string, request: SettleRequest): Promise<void> {
  return sayUpdate(link, id, (handle) => handle.executeUpdate(settleUpdate, { args: [request] }));
}

/**
 * A person's word on the quality gate; returning means accepted.
 * Throws `ClientError`: `refused` with the reason, `not-found`, `unreachable`.
 */
export async function approveQuality(link: TemporalLink, id: string, request: QualityRequest): Promise<void> {
  return sayUpdate(link, id, (handle) => handle.executeUpdate(qualityUpdate, { args: [request] }));
}

/** Temporal says *not found* of an update both when there is no such workflow and when it has ended. */
async function refusedOrNotFound(link: TemporalLink, id: string, cause: unknown): Promise<ClientError> {
  try {
    const { phase } = await seeExperiment(link, id);
    return new ClientError('refused', `the experiment is already ${phase}`, cause);
  } catch (error) {
    if (error instanceof ClientError) return error;
    throw error;
  }
}

function unanswered(id: string, cause: unknown): ClientError {
  const message =
    `No worker answered for "${id}" within ${decideDeadlineMs / 1000} s. It is not known whether the decision will still be taken: ` +
    `start a worker, look with \`hephaestus show ${id}\`, then say it again if it is not there.`;
  return new ClientError('unreachable', message, cause);
}

/**
 * Tells a running experiment to look again at its pull request. Returning means that Temporal holds it.
 * Throws `ClientError`: `not-found` (also when it has ended), `unreachable`.
 */
export async function nudge(link: TemporalLink, id: string, payload: NudgePayload): Promise<void> {
  const handle = link.client.workflow.getHandle(experimentWorkflowId(id));
  try {
    await link.within(nudgeDeadlineMs, () => handle.signal(nudgeSignal, payload));
  } catch (error) {
    throw error instanceof WorkflowNotFoundError ? notFound(id, error) : error;
  }
}
