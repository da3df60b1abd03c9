import { createHash } from 'node:crypto';

import {
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  type Context as TraceContext,
  type Span,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { Resource } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { ActivityInterceptors } from '@temporalio/worker';
import type { Logger } from 'pino';

import { experimentIdIn } from '../../domain/ids.ts';

/** Traces of what the activities do, on their way to a collector. */
export interface Tracing {
  /** For the workers of activities. */
  readonly interceptor: (context: Context) => ActivityInterceptors;
  /** Sends what is left; what cannot be sent any more is lost, and the log says so. */
  close(): Promise<void>;
}

/**
 * Makes traces and sends them by OTLP over HTTP to `url` (without `/v1/traces`): one trace for each experiment, one span
 * for each try of an activity. Only activities are traced, never workflows: an interceptor in a workflow changes the
 * order in which it goes on, so that an experiment that began without traces could not be carried on with them. A
 * collector that is away costs traces, nothing else.
 */
export function createTracing(url: string, log: Logger): Tracing {
  const spanProcessor = new BatchSpanProcessor(new OTLPTraceExporter({ url: `${url}/v1/traces` }));
  const provider = new BasicTracerProvider({
    resource: new Resource({ 'service.name': 'hephaestus' }),
    spanProcessors: [spanProcessor],
  });
  const tracer = provider.getTracer('hephaestus');
  return {
    interceptor: ({ info }) => ({
      inbound: {
        async execute(input, next) {
          const workflowId = info.workflowExecution?.workflowId ?? '';
          const experiment = experimentIdIn(workflowId);
          const attributes = {
            'temporal.workflow.id': workflowId,
            'temporal.task_queue': info.taskQueue,
            'temporal.attempt': info.attempt,
            ...(experiment !== undefined && { 'hephaestus.experiment': experiment }),
          };
          const span = tracer.startSpan(info.activityType, { attributes }, traceOf(experiment ?? workflowId));
          try {
            const result = await next(input);
            span.end();
            return result;
          } catch (error) {
            endFailed(span, error);
            throw error;
          }
        },
      },
    }),
    close: () =>
      provider
        .shutdown()
        .catch((error: unknown) => log.warn({ err: error }, 'the last traces could not be sent')),
  };
}

/** The same trace for the same experiment, in whichever process and however often it is started again. */
function traceOf(name: string): TraceContext {
  const digest = createHash('sha256').update(name).digest('hex');
  const ids = { traceId: digest.slice(0, 32), spanId: digest.slice(32, 48) };
  return trace.setSpanContext(ROOT_CONTEXT, { ...ids, traceFlags: 1, isRemote: true });
}

/** A look without news is no span: weeks of waiting would be nothing but these. The type says enough; messages stay here. */
function endFailed(span: Span, error: unknown): void {
  if (error instanceof ApplicationFailure && error.category === ApplicationFailureCategory.BENIGN) return;
  const type = error instanceof ApplicationFailure ? error.type : undefined;
  span.setStatus({
    code: SpanStatusCode.ERROR,
    message: type ?? (error instanceof Error ? error.name : 'unknown'),
  });
  span.end();
}
