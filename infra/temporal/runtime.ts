import { DefaultLogger, Runtime, type LogEntry } from '@temporalio/worker';
import type { Logger } from 'pino';

import { experimentIdIn } from '../../domain/ids.ts';
import type { MetricsSettings } from '../config/config.ts';

const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** One log for the SDK, the workflows and the activities of this process; to be called before anything else of the SDK. */
export function installRuntime(log: Logger, metrics: MetricsSettings | null = null): void {
  const logger = new DefaultLogger('TRACE', ({ level, message, meta }: LogEntry) => {
    const { sdkComponent, taskQueue, workflowId, activityType, attempt, error, ...rest } = {
      ...meta,
    } as Record<string, unknown>;
    const fields = {
      sdkComponent,
      taskQueue,
      experiment: typeof workflowId === 'string' ? experimentIdIn(workflowId) : undefined,
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
    telemetryOptions: {
      logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } },
      ...(metrics !== null && { metrics: { prometheus: prometheusOf(metrics) } }),
    },
  });
}

/** Names and units as Prometheus has them: seconds, and `_total` on counters. */
function prometheusOf({ host, port }: MetricsSettings) {
  return {
    bindAddress: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    countersTotalSuffix: true,
    unitSuffix: true,
    useSecondsForDurations: true,
  };
}
