import { isDeepStrictEqual } from 'node:util';

import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleDescription,
  type ScheduleOptions,
} from '@temporalio/client';

import type { JanitorInput } from '../../domain/orphan.ts';
import { queues } from '../../workflows/contract.ts';
import type { JanitorSettings } from '../config/config.ts';

export const janitorScheduleId = 'hephaestus-janitor';

const msPerMinute = 60_000;
/** A visit that was missed for longer is not made up for: the next one sees the same. */
const catchupWindow = '10 minutes';

/**
 * Makes the janitor's schedule what the settings say: creates it where it is missing, changes it where it differs,
 * deletes it when there is to be none. Several workers may do this at once. A schedule that somebody paused stays so.
 */
export async function ensureJanitorSchedule(client: Client, settings: JanitorSettings): Promise<void> {
  const handle = client.schedule.getHandle(janitorScheduleId);
  if (settings.everyMinutes === 0) {
    await unlessGone(() => handle.delete());
    return;
  }
  const wanted = scheduleOf(settings);
  try {
    await client.schedule.create(wanted);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    // Another worker, with other settings, may delete it meanwhile; its settings are as good as ours.
    await unlessGone(async () => {
      if (isAsWanted(await handle.describe(), wanted)) return;
      const { spec, action, policies } = wanted;
      await handle.update(({ state }) => ({
        spec,
        action,
        state,
        ...(policies !== undefined && { policies }),
      }));
    });
  }
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

function isAsWanted({ spec, action }: ScheduleDescription, wanted: ScheduleOptions): boolean {
  return (
    isDeepStrictEqual(
      spec.intervals?.map(({ every }) => every),
      wanted.spec.intervals?.map(({ every }) => every),
    ) &&
    action.workflowType === wanted.action.workflowType &&
    action.taskQueue === wanted.action.taskQueue &&
    isDeepStrictEqual(action.args, wanted.action.args)
  );
}

async function unlessGone(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}
