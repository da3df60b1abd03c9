import { ScheduleOverlapPolicy, type Client, type ScheduleOptions } from '@temporalio/client';

import type { JanitorInput } from '../../domain/orphan.ts';
import { queues } from '../../workflows/contract.ts';
import type { JanitorSettings } from '../config/config.ts';
import { deleteSchedule, ensureSchedule } from './ensure-schedule.ts';

export const janitorScheduleId = 'hephaestus-janitor';

const msPerMinute = 60_000;
/** A visit that was missed for longer is not made up for: the next one sees the same. */
const catchupWindow = '10 minutes';

/** Makes the janitor's schedule what the settings say, or deletes it when there is to be none. */
export async function ensureJanitorSchedule(client: Client, settings: JanitorSettings): Promise<void> {
  if (settings.everyMinutes === 0) await deleteSchedule(client, janitorScheduleId);
  else await ensureSchedule(client, scheduleOf(settings));
}

function scheduleOf({ everyMinutes, graceMinutes }: JanitorSettings): ScheduleOptions {
  const input: JanitorInput = { dryRun: false, graceMinutes };
  return {
    scheduleId: janitorScheduleId,
    spec: { intervals: [{ every: everyMinutes * msPerMinute }] },
    action: {
      type: 'startWorkflow',
      workflowType: 'JanitorWorkflow',
      workflowId: janitorScheduleId,
      taskQueue: queues.experiments,
      args: [input],
      staticSummary: 'stops jobs that nobody owns any more',
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow },
  };
}
