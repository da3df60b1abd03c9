import { ScheduleOverlapPolicy, type Client } from '@temporalio/client';

import { queues } from '../../workflows/contract.ts';
import type { SyncSettings } from '../config/config.ts';
import { deleteSchedule, ensureSchedule } from './ensure-schedule.ts';

export const sweepScheduleId = 'hephaestus-sweep';

const msPerMinute = 60_000;
/** A sweep that was missed for longer is not made up for: the next one sees the same. */
const catchupWindow = '10 minutes';

/** Makes the schedule of the sweeps for runs of nobody what the settings say, or deletes it when there is to be none. */
export async function ensureSweepSchedule(client: Client, { everyMinutes }: SyncSettings): Promise<void> {
  if (everyMinutes === 0) return deleteSchedule(client, sweepScheduleId);
  return ensureSchedule(client, {
    scheduleId: sweepScheduleId,
    spec: { intervals: [{ every: everyMinutes * msPerMinute }] },
    action: {
      type: 'startWorkflow',
      workflowType: 'SweepWorkflow',
      workflowId: sweepScheduleId,
      taskQueue: queues.experiments,
      args: [],
      staticSummary: 'looks for runs that nobody brings to W&B',
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow },
  });
}
