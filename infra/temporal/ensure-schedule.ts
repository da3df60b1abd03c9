import { isDeepStrictEqual } from 'node:util';

import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type Client,
  type ScheduleDescription,
  type ScheduleOptions,
} from '@temporalio/client';

/**
 * Makes a schedule what is wanted: creates it where it is missing, changes it where it differs. Several workers may do this
 * at once. A schedule that somebody paused stays so.
 */
export async function ensureSchedule(client: Client, wanted: ScheduleOptions): Promise<void> {
  const handle = client.schedule.getHandle(wanted.scheduleId);
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

/** Deletes a schedule; one that is not there is as wanted. */
export async function deleteSchedule(client: Client, scheduleId: string): Promise<void> {
  await unlessGone(() => client.schedule.getHandle(scheduleId).delete());
}

function isAsWanted({ spec, action }: ScheduleDescription, wanted: ScheduleOptions): boolean {
  return (
    isDeepStrictEqual(
      spec.intervals?.map(({ every }) => every),
      wanted.spec.intervals?.map(({ every }) => every),
    ) &&
    action.workflowType === wanted.action.workflowType &&
    action.taskQueue === wanted.action.taskQueue &&
    isDeepStrictEqual(action.args ?? [], wanted.action.args ?? [])
  );
}

async function unlessGone(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}
