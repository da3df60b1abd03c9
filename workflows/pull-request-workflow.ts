import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild, WorkflowIdReusePolicy } from '@temporalio/workflow';

import { experimentWorkflowId } from '../domain/ids.ts';
import type { InvitationAnswer, InvitationInput } from '../domain/invitation.ts';
import { reply } from './activities.ts';
import { ExperimentWorkflow } from './experiment-workflow.ts';
import { stepTimeout } from './contract.ts';

/**
 * Looks whether a pull request may start an experiment, and starts it. A process that only receives webhooks can ask for
 * this, and cannot do it: the zone that holds GitHub's credential looks, and decides on what it saw itself.
 */
export async function PullRequestWorkflow(input: InvitationInput): Promise<InvitationAnswer> {
  const { repository, number, by, policy } = input;
  const invitation = await reply.lookAtInvitation.executeWithOptions(
    {
      summary: `looks whether ${repository}#${number} asks for an experiment`,
      scheduleToCloseTimeout: '1 hour',
    },
    [{ repository, number }],
  );
  if (invitation.status === 'none') return { status: 'refused', why: invitation.why };
  if (invitation.draft && by === null) return { status: 'refused', why: 'it is a draft' };
  const { source } = invitation;
  const { id, title } = source.note;
  try {
    await startChild(ExperimentWorkflow, {
      workflowId: experimentWorkflowId(id),
      args: [{ id, source, by: by ?? invitation.by, policy }],
      // It goes its own way; what it is called is what makes it one.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowTaskTimeout: stepTimeout,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
      staticSummary: title.replaceAll(/\s+/g, ' ').trim().slice(0, 200),
    });
    return { status: 'started', id };
  } catch (error) {
    // Whether that one still runs is for the caller to see: Temporal says the same of one that has ended.
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { status: 'attached', id };
    throw error;
  }
}
