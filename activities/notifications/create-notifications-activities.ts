import { Context } from '@temporalio/activity';

import { Failure } from '../../infra/failure.ts';
import type { NotificationSettings } from '../../infra/settings.ts';
import { openSentRecord } from '../../infra/notifications/sent-record.ts';
import { guardActivities } from '../boundary.ts';
import { createEventLook } from './look-for-events.ts';
import { deliver } from './deliver.ts';
import type { NotificationsActivities } from './interface.ts';

export interface NotificationsDependencies {
  /** Null where nobody is to be told of anything. */
  readonly settings: NotificationSettings | null;
  /** Where it is written down what was sent. */
  readonly directory: string;
}

/** The activities of the queue `notifications`: what is to be told, and telling it. */
export function createNotificationsActivities({
  settings,
  directory,
}: NotificationsDependencies): NotificationsActivities {
  const record = openSentRecord(directory);
  const lookFor = settings === null ? null : createEventLook(settings);
  return guardActivities<NotificationsActivities>({
    async awaitEvents(input) {
      if (lookFor === null)
        throw new Failure('NothingToTell', 'no channel is configured', { retryAfterMs: 600_000 });
      return lookFor(Context.current().client, input);
    },
    deliver: (delivery) => deliver(delivery, { channels: settings?.channels ?? [], record }),
  });
}
