import { WorkflowExecutionAlreadyStartedError, WorkflowIdReusePolicy } from '@temporalio/client';

import type { ExperimentInput } from '../domain/experiment.ts';
import { experimentWorkflowId } from '../domain/ids.ts';
import { queues, stepTimeout } from '../workflows/contract.ts';
import type { ExperimentWorkflow } from '../workflows/index.ts';
import { ClientError } from './client-error.ts';
import { workflowUrl } from './execution.ts';
import { describeExperiment, seeExperiment } from './see-experiment.ts';
import type { StartAnswer } from './seen-experiment.ts';
import type { TemporalLink } from './temporal-link.ts';

const startDeadlineMs = 10_000;

/**
 * Starts the experiment, or attaches to the one of the same id that is running: never a second one. One that has failed
 * may be started again; one that has reached its end may not.
 *
 * Throws `ClientError`: `refused` (already ended), `unreachable`.
 */
export async function startExperiment(link: TemporalLink, input: ExperimentInput): Promise<StartAnswer> {
  const workflowId = experimentWorkflowId(input.id);
  const answer = (status: StartAnswer['status'], runId: string): StartAnswer => {
    return { status, id: input.id, workflowId, runId, url: workflowUrl(link.settings, workflowId, runId) };
  };
  try {
    // Conflict policy FAIL and not USE_EXISTING: both never start a second one, but only this says which it was.
    const handle = await link.within(startDeadlineMs, () =>
      link.client.workflow.start<typeof ExperimentWorkflow>('ExperimentWorkflow', {
        workflowId,
        taskQueue: queues.experiments,
        args: [input],
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
        workflowTaskTimeout: stepTimeout,
        staticSummary: summaryOf(input),
      }),
    );
    return answer('started', handle.firstExecutionRunId);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const existing = await describeExperiment(link, input.id);
    if (existing.status.name === 'RUNNING') return answer('attached', existing.runId);
    const { phase } = await seeExperiment(link, input.id);
    const todo = 'give the task note another id to make a new experiment';
    throw new ClientError('refused', `The experiment "${input.id}" is already ${phase}: ${todo}.`, error);
  }
}

function summaryOf({ source }: ExperimentInput): string {
  const text = source.kind === 'idea' ? source.idea : source.note.title;
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 200);
}
