import { DefaultLogger, Runtime, type LogEntry } from '@temporalio/worker';
import type { Logger } from 'pino';

const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** One log for the SDK, the workflows and the activities of this process; to be called before anything else of the SDK. */
export function installRuntime(log: Logger): void {
  const logger = new DefaultLogger('TRACE', ({ level, message, meta }: LogEntry) => {
    const { sdkComponent, taskQueue, workflowId, activityType, attempt, error, ...rest } = {
      ...meta,
    } as Record<string, unknown>;
    const fields = {
      sdkComponent,
      taskQueue,
      workflowId,
      activityType,
      attempt,
      err: error,
      ...(level === 'ERROR' && rest),
    };
    log[levels[level]](fields, message);
  });
  Runtime.install({
    logger,
    shutdownSignals: ['SIGINT', 'SIGTERM'],
    telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } },
  });
}
