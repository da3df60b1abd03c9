import type { Context } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';

/** Beats this many times within the heartbeat time-out, so that one late beat is no false alarm. */
const beatsPerTimeout = 4;

/**
 * Beats for every activity that has a heartbeat time-out while it runs, so that a worker that was killed is noticed in
 * seconds, whatever the activity is doing, and cancellation reaches it. Details that the activity itself reports are kept.
 */
export function heartbeatInterceptor(context: Context): ActivityInterceptors {
  return {
    inbound: {
      async execute(input, next) {
        const { heartbeatTimeoutMs } = context.info;
        if (heartbeatTimeoutMs === undefined) return next(input);
        const beat = context.heartbeat.bind(context);
        let details: unknown = context.info.heartbeatDetails;
        Object.defineProperty(context, 'heartbeat', {
          value: (latest?: unknown) => {
            details = latest;
            beat(latest);
          },
        });
        const timer = setInterval(() => beat(details), heartbeatTimeoutMs / beatsPerTimeout);
        try {
          return await next(input);
        } finally {
          clearInterval(timer);
        }
      },
    },
  };
}
