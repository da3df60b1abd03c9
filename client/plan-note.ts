import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';

import type { FailureType } from '../domain/failure.ts';
import { queues } from '../workflows/contract.ts';
import type { PlanWorkflow } from '../workflows/index.ts';
import type { PlanAnswer, PlanRequest } from '../workflows/plan-workflow.ts';
import { ClientError, type ClientErrorKind } from './client-error.ts';
import { openTroubles } from './pending-troubles.ts';
import type { PendingTrouble } from './seen-experiment.ts';
import type { TemporalLink } from './temporal-link.ts';

export interface PlanWatch {
  /** Ends the planning too: nobody waits for it any more. */
  readonly signal: AbortSignal;
  /** What fails and is being tried again. */
  readonly onTroubles: (troubles: readonly PendingTrouble[]) => void;
}

const callDeadlineMs = 10_000;
const lookEveryMs = 500;

/** The failures that the person who asked can mend by asking otherwise. */
const refusals: ReadonlySet<string> = new Set<FailureType>([
  'TaskNoteInvalid',
  'AgentBudgetSpent',
  'AgentOutputInvalid',
]);
const missing: ReadonlySet<string> = new Set<FailureType>(['RepositoryNotFound', 'BaseBranchNotFound']);

/**
 * Has a task note written or checked, by the workers of all zones. Throws `ClientError`: `not-found` (the repository or
 * its branch), `refused` (no valid note came of it), `unreachable` (Temporal, or something behind it, gave no answer).
 */
export async function planNote(
  link: TemporalLink,
  request: PlanRequest,
  watch: PlanWatch,
): Promise<PlanAnswer> {
  const handle = await link.within(callDeadlineMs, () =>
    link.client.workflow.start<typeof PlanWorkflow>('PlanWorkflow', {
      workflowId: `plan/${request.id}/${randomUUID().slice(0, 8)}`,
      taskQueue: queues.experiments,
      args: [request],
      staticSummary: request.kind === 'check' ? 'checks a task note' : 'plans an experiment',
    }),
  );
  try {
    for (;;) {
      const { status, raw } = await link.within(callDeadlineMs, () => handle.describe());
      if (status.name !== 'RUNNING') break;
      watch.onTroubles(openTroubles(handle.workflowId, raw));
      await sleep(lookEveryMs, undefined, { signal: watch.signal });
    }
    return await link.within(callDeadlineMs, () => handle.result());
  } catch (error) {
    if (watch.signal.aborted) await link.within(callDeadlineMs, () => handle.cancel());
    if (!(error instanceof WorkflowFailedError)) throw error;
    throw clientErrorOf(error);
  }
}

function clientErrorOf(error: WorkflowFailedError): ClientError {
  let inner: Error = error;
  while (inner.cause instanceof Error) inner = inner.cause;
  const type = inner instanceof ApplicationFailure ? (inner.type ?? '') : '';
  return new ClientError(
    kindOf(type),
    `No task note came of it. ${type === '' ? '' : `${type}: `}${inner.message}`,
    error,
  );
}

function kindOf(type: string): ClientErrorKind {
  if (missing.has(type)) return 'not-found';
  return refusals.has(type) ? 'refused' : 'unreachable';
}
