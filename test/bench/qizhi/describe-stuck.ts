import type { Client, WorkflowExecutionDescription } from '@temporalio/client';

/** What a workflow and its children wait for, a line for each pending activity, for whoever looks into why it does not end. */
export async function describeStuck(client: Client, workflowId: string): Promise<string[]> {
  const { raw, status } = await client.workflow.getHandle(workflowId).describe();
  const own = (raw.pendingActivities ?? []).map((activity) => `${workflowId}: ${describeActivity(activity)}`);
  const children = (raw.pendingChildren ?? []).flatMap((child) => child.workflowId ?? []);
  const below = await Promise.all(children.map((id) => describeStuck(client, id)));
  return own.length === 0 && children.length === 0
    ? [`${workflowId}: ${status.name}, no activity is pending`]
    : [...own, ...below.flat()];
}

type PendingActivity = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];

function describeActivity({
  activityType,
  attempt,
  lastFailure,
  nextAttemptScheduleTime,
}: PendingActivity): string {
  const next = nextAttemptScheduleTime
    ? ` at ${new Date(Number(nextAttemptScheduleTime.seconds) * 1000).toISOString()}`
    : '';
  return `${activityType?.name ?? 'an activity'}, try ${attempt ?? 1}${next}: ${lastFailure?.message ?? 'running'}`;
}
