import { proxyActivities, type ActivityOptions } from '@temporalio/workflow';

import type { AttemptsActivities } from '../activities/attempts/interface.ts';
import type { JanitorControlActivities, JanitorDiskActivities } from '../activities/janitor/interface.ts';
import type { QizhiActivities } from '../activities/qizhi/interface.ts';
import { queues } from './contract.ts';

/** A page of looks. What does not come through within the hour is left to the next visit. */
const look = {
  startToCloseTimeout: '20 minutes',
  scheduleToCloseTimeout: '1 hour',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
} satisfies ActivityOptions;

/** Ending a job takes as long as its script needs to write its last words; the next visit sees to what takes longer. */
const act = {
  ...look,
  startToCloseTimeout: '2 minutes',
  scheduleToCloseTimeout: '10 minutes',
} satisfies ActivityOptions;

export const disk = proxyActivities<JanitorDiskActivities>({ taskQueue: queues.networked, ...look });
export const control = proxyActivities<JanitorControlActivities>({ taskQueue: queues.qizhi, ...look });
export const attemptActs = proxyActivities<Pick<AttemptsActivities, 'revokeAttempt' | 'requestStop'>>({
  taskQueue: queues.networked,
  ...act,
});
export const platformActs = proxyActivities<Pick<QizhiActivities, 'stopJob'>>({
  taskQueue: queues.qizhi,
  ...act,
});
