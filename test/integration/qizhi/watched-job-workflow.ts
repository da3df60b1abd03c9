import { proxyActivities } from '@temporalio/workflow';

import type { QizhiActivities, SeenJob } from '../../../activities/qizhi/interface.ts';

const { awaitJobChange } = proxyActivities<QizhiActivities>({
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '10 seconds' },
});

/** Waits for one change, as the workflow of a job does. */
export async function watchedJob(jobId: string, since: string | null): Promise<SeenJob> {
  return awaitJobChange({ jobId, since, pollSeconds: 0.3 });
}
