import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';

import type { SubmissionOutcome } from '../../../domain/job.ts';
import { jobWorkflowId } from '../../../domain/ids.ts';
import { jobSettledSignal } from '../../../workflows/contract.ts';

/** What became of the create request of one attempt, by the history of its workflow. */
export interface Submission {
  readonly answer: 'created' | 'unknown' | 'refused' | 'never-sent';
  /** For an unknown one: who settled it. `none`: nobody had to, since the experiment was stopped. */
  readonly settledBy: 'claim' | 'person' | 'none' | null;
  readonly events: number;
}

/**
 * Null where the workflow of the job never began: its experiment was stopped between the attempt's folder and it.
 */
export async function readSubmission(
  client: Client,
  experimentId: string,
  attempt: number,
  seed: number,
): Promise<Submission | null> {
  const events = await eventsOf(client, jobWorkflowId(experimentId, attempt, seed));
  if (events === null) return null;
  const creates = new Set<string>();
  let answer: Submission['answer'] = 'never-sent';
  let person = false;
  let cancelled = false;
  for (const event of events) {
    const { activityTaskCompletedEventAttributes: completed } = event;
    if (event.activityTaskScheduledEventAttributes?.activityType?.name === 'createJob') {
      creates.add(String(event.eventId));
    } else if (completed && creates.has(String(completed.scheduledEventId))) {
      const [payload] = completed.result?.payloads ?? [];
      if (payload) answer = defaultPayloadConverter.fromPayload<SubmissionOutcome>(payload).status;
    } else if (creates.has(String(event.activityTaskTimedOutEventAttributes?.scheduledEventId))) {
      answer = 'unknown';
    } else if (creates.has(String(event.activityTaskFailedEventAttributes?.scheduledEventId))) {
      answer = 'refused';
    }
    person ||= event.workflowExecutionSignaledEventAttributes?.signalName === jobSettledSignal.name;
    cancelled ||= event.workflowExecutionCancelRequestedEventAttributes !== null;
  }
  const settler = person ? 'person' : cancelled ? 'none' : 'claim';
  return { answer, settledBy: answer === 'unknown' ? settler : null, events: events.length };
}

async function eventsOf(client: Client, workflowId: string) {
  try {
    return (await client.workflow.getHandle(workflowId).fetchHistory()).events ?? [];
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
