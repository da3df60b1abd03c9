import { proxyActivities } from '@temporalio/workflow';

import type {
  AttemptsActivities,
  AwaitRecordsInput,
  SeenRecords,
} from '../../../activities/attempts/interface.ts';

const { awaitRecordsChange } = proxyActivities<Pick<AttemptsActivities, 'awaitRecordsChange'>>({
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '1 hour',
});

/** One wait for a change, as the watch over a job makes it: no heartbeat time-out, since a look is over at once. */
export async function followRecords(input: AwaitRecordsInput): Promise<SeenRecords> {
  return awaitRecordsChange(input);
}
