import { proxyActivities } from '@temporalio/workflow';

import type { NotificationsActivities } from '../activities/notifications/interface.ts';
import { queues } from './contract.ts';

const heartbeatTimeout = '10 seconds';

/** Waits by failing: looks of weeks without news cost no history. */
export const looks = proxyActivities<Pick<NotificationsActivities, 'awaitEvents'>>({
  taskQueue: queues.notifications,
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout,
  retry: { initialInterval: '10 seconds', backoffCoefficient: 1.5, maximumInterval: '1 minute' },
});

/** A server that is away over a weekend must not lose a message. */
export const deliveries = proxyActivities<Pick<NotificationsActivities, 'deliver'>>({
  taskQueue: queues.notifications,
  startToCloseTimeout: '2 minutes',
  scheduleToCloseTimeout: '3 days',
  heartbeatTimeout,
  retry: { initialInterval: '5 seconds', backoffCoefficient: 2, maximumInterval: '30 minutes' },
});
