import { setTimeout as sleep } from 'node:timers/promises';

import { WorkflowFailedError, WorkflowIdConflictPolicy, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';

import type { JanitorInput, JanitorReport } from '../domain/orphan.ts';
import { janitorProgressQuery, queues } from '../workflows/contract.ts';
import type { JanitorWorkflow } from '../workflows/index.ts';
import { ClientError } from './client-error.ts';
import { openTroubles } from './pending-troubles.ts';
import type { PendingTrouble } from './seen-experiment.ts';
import type { TemporalLink } from './temporal-link.ts';

export interface JanitorWatch {
  /** Ends the watching, not the visit. */
  readonly signal: AbortSignal;
  /** What the visit is at, and what fails and is being tried again. */
  readonly onProgress: (words: string, troubles: readonly PendingTrouble[]) => void;
}

const callDeadlineMs = 10_000;
const queryDeadlineMs = 4000;
const lookEveryMs = 1000;

/**
 * Has the janitor make one visit, by the workers of all zones, and returns its report. Throws `ClientError`
 * (`unreachable`) when Temporal gives no answer, and when the visit failed because something behind it gave none.
 */
export async function runJanitor(
  link: TemporalLink,
  input: JanitorInput,
  watch: JanitorWatch,
): Promise<JanitorReport> {
  const handle = await link.within(callDeadlineMs, () =>
    link.client.workflow.start<typeof JanitorWorkflow>('JanitorWorkflow', {
      workflowId: input.dryRun ? 'janitor/dry-run' : 'janitor/by-hand',
      taskQueue: queues.experiments,
      args: [input],
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      staticSummary: input.dryRun
        ? 'looks for jobs that nobody owns any more'
        : 'stops jobs that nobody owns any more',
    }),
  );
  for (;;) {
    const { status, raw } = await link.within(callDeadlineMs, () => handle.describe());
    if (status.name !== 'RUNNING') return resultOf(link, handle);
    watch.onProgress(await progressOf(link, handle), openTroubles(handle.workflowId, raw));
    await sleep(lookEveryMs, undefined, { signal: watch.signal });
  }
}

async function progressOf(
  link: TemporalLink,
  handle: WorkflowHandle<typeof JanitorWorkflow>,
): Promise<string> {
  try {
    return await link.within(queryDeadlineMs, () => handle.query(janitorProgressQuery));
  } catch (error) {
    // Temporal itself answered a moment ago, so what is missing is a worker.
    if (error instanceof ClientError)
      return 'waiting for a worker; start one with `hephaestus worker --zone control`';
    return 'waiting for its worker to answer';
  }
}

async function resultOf(
  link: TemporalLink,
  handle: WorkflowHandle<typeof JanitorWorkflow>,
): Promise<JanitorReport> {
  try {
    return await link.within(callDeadlineMs, () => handle.result());
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    throw new ClientError('unreachable', `The janitor could not finish its visit: ${reasonOf(error)}`, error);
  }
}

function reasonOf(error: WorkflowFailedError): string {
  let inner: Error | undefined = error;
  for (let cause = error.cause; cause !== undefined; cause = cause.cause as Error | undefined) inner = cause;
  const type = inner instanceof ApplicationFailure ? `${inner.type ?? 'Unnamed'}: ` : '';
  return `${type}${inner?.message ?? 'no reason was given'}`;
}
