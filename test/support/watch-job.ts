import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

import type { AwaitJobInput, QizhiActivities, SeenJob } from '../../activities/qizhi/interface.ts';

export interface Unchanged {
  readonly type: string;
  readonly message: string;
  readonly nonRetryable: boolean;
  readonly nextRetryDelay: number;
}

/** One wait for a change, as Temporal drives it: look after look, each with what the last one beat. */
export function openWatch(activities: QizhiActivities, scheduledAt = Date.now()) {
  let details: unknown;
  return {
    /** One look: what was seen, or the failure that it ended in. */
    async look(input: AwaitJobInput): Promise<{ seen: SeenJob } | { failure: Unchanged }> {
      const temporal = new MockActivityEnvironment(
        { scheduledTimestampMs: scheduledAt, heartbeatDetails: details },
        // Failing is how this activity waits.
        { logger: new DefaultLogger('ERROR') },
      );
      temporal.on('heartbeat', (beat: unknown) => {
        details = beat;
      });
      try {
        return { seen: await temporal.run(async () => activities.awaitJobChange(input)) };
      } catch (error) {
        return { failure: error as Unchanged };
      }
    },
  };
}
