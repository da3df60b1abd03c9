import { WorkflowFailedError, WorkflowIdConflictPolicy, type WorkflowHandle } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';

import { experimentWorkflowId, pullRequestWorkflowId } from '../domain/ids.ts';
import type { InvitationAnswer, InvitationInput } from '../domain/invitation.ts';
import { queues } from '../workflows/contract.ts';
import type { PullRequestWorkflow } from '../workflows/index.ts';
import { ClientError } from './client-error.ts';
import { workflowUrl } from './execution.ts';
import { describeExperiment, seeExperiment } from './see-experiment.ts';
import type { StartAnswer } from './seen-experiment.ts';
import type { TemporalLink } from './temporal-link.ts';

/** A webhook waits for Temporal to hold it, not for what comes of it. */
const askDeadlineMs = 4000;
const answerDeadlineMs = 60_000;

/**
 * Asks for a look at a pull request that may start an experiment; returning means that Temporal holds it. One look at one
 * pull request at a time: whoever asks meanwhile gets the same. Throws `ClientError`: `unreachable`.
 */
export async function invite(link: TemporalLink, input: InvitationInput): Promise<void> {
  await ask(link, input);
}

/**
 * Starts the experiment of a pull request with a task note, or attaches to it.
 * Throws `ClientError`: `refused` with the reason, `not-found`, `unreachable` (also when no worker of the control zone
 * answers).
 */
export async function startFromPullRequest(link: TemporalLink, input: InvitationInput): Promise<StartAnswer> {
  const handle = await ask(link, input);
  const reference = `${input.repository}#${input.number}`;
  const answer = await answerOf(link, handle, reference);
  if (answer.status === 'refused') {
    throw new ClientError('refused', `${reference} starts no experiment: ${answer.why}.`);
  }
  const { id, status } = answer;
  const workflowId = experimentWorkflowId(id);
  const { runId, status: now } = await describeExperiment(link, id);
  if (status === 'attached' && now.name !== 'RUNNING') {
    const { phase } = await seeExperiment(link, id);
    const todo = 'give the task note another id to make a new experiment';
    throw new ClientError('refused', `The experiment "${id}" is already ${phase}: ${todo}.`);
  }
  return { status, id, workflowId, runId, url: workflowUrl(link.settings, workflowId, runId) };
}

function ask(
  link: TemporalLink,
  input: InvitationInput,
): Promise<WorkflowHandle<typeof PullRequestWorkflow>> {
  return link.within(askDeadlineMs, () =>
    link.client.workflow.start<typeof PullRequestWorkflow>('PullRequestWorkflow', {
      workflowId: pullRequestWorkflowId(input.repository, input.number),
      taskQueue: queues.experiments,
      args: [input],
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      staticSummary: `looks at ${input.repository}#${input.number}`,
    }),
  );
}

async function answerOf(
  link: TemporalLink,
  handle: WorkflowHandle<typeof PullRequestWorkflow>,
  reference: string,
): Promise<InvitationAnswer> {
  try {
    return await link.within(answerDeadlineMs, () => handle.result());
  } catch (error) {
    if (error instanceof ClientError) {
      const todo = 'start a worker (`hephaestus worker --zone control`) and say it again';
      throw new ClientError('unreachable', `Nobody looked at ${reference} in time: ${todo}.`, error);
    }
    if (!(error instanceof WorkflowFailedError)) throw error;
    const cause = error.cause instanceof ActivityFailure ? error.cause.cause : error.cause;
    const gone = cause instanceof ApplicationFailure && cause.type === 'GithubNotFound';
    const kind = gone ? 'not-found' : 'refused';
    throw new ClientError(
      kind,
      `${reference} could not be looked at: ${cause?.message ?? error.message}`,
      error,
    );
  }
}
