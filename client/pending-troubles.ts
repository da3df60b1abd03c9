import type { WorkflowExecutionDescription } from '@temporalio/client';

import type { FailureType } from '../domain/failure.ts';
import { describeExperiment } from './see-experiment.ts';
import type { PendingTrouble } from './seen-experiment.ts';
import type { TemporalLink } from './temporal-link.ts';

/** "Nothing changed yet" is how waiting works, so it is no trouble. */
const expected: ReadonlySet<string> = new Set<FailureType>([
  'JobUnchanged',
  'RecordsUnchanged',
  'GateUnchanged',
  'LiveUnchanged',
  'MirrorWaiting',
  'WandbRunHeld',
]);

const describeDeadlineMs = 8000;
/** An experiment has jobs, a job has a sync. */
const depth = 3;

/** What is being tried again right now, in the experiment and in the workflows of its jobs. */
export async function pendingTroubles(link: TemporalLink, id: string): Promise<PendingTrouble[]> {
  return troublesOf(link, await describeExperiment(link, id), depth);
}

async function troublesOf(
  link: TemporalLink,
  description: WorkflowExecutionDescription,
  levels: number,
): Promise<PendingTrouble[]> {
  const own = openTroubles(description.workflowId, description.raw);
  if (levels <= 1) return own;
  const children = (description.raw.pendingChildren ?? []).map(async ({ workflowId, runId }) => {
    if (typeof workflowId !== 'string') return [];
    const handle = link.client.workflow.getHandle(workflowId, runId ?? undefined);
    const child = await link.within(describeDeadlineMs, () => handle.describe());
    return troublesOf(link, child, levels - 1);
  });
  return [...own, ...(await Promise.all(children)).flat()];
}

/** What is being tried again in one workflow alone. */
export function openTroubles(
  workflowId: string,
  { pendingActivities }: WorkflowExecutionDescription['raw'],
): PendingTrouble[] {
  return (pendingActivities ?? []).flatMap((activity) => toTrouble(workflowId, activity));
}

type PendingActivity = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];

function toTrouble(workflowId: string, activity: PendingActivity): PendingTrouble[] {
  const failure = activity.lastFailure;
  if (failure === null || failure === undefined) return [];
  const type = failure.applicationFailureInfo?.type ?? '';
  if (expected.has(type)) return [];
  const next = activity.nextAttemptScheduleTime;
  return [
    {
      workflowId,
      activity: activity.activityType?.name ?? 'an activity',
      type,
      message: failure.message ?? '',
      attempt: activity.attempt ?? 1,
      nextTryAt:
        next === null || next === undefined ? null : new Date(Number(next.seconds) * 1000).toISOString(),
    },
  ];
}
