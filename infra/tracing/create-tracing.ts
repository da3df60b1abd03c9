import { createHash } from 'node:crypto';

import { ROOT_CONTEXT, SpanStatusCode, trace, TraceFlags, type Span, type Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { Resource } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';

import { experimentIdIn } from '../../domain/ids.ts';

/** Traces of activities, on their way to a collector. */
export interface Tracing {
  /** For `Worker.create`. */
  readonly activityInterceptor: ActivityInterceptorsFactory;
  /** Sends what is left; rejects when the collector takes nothing. */
  close(): Promise<void>;
}

/**
 * Makes a span of every try of an activity and sends them by OTLP over HTTP to `url` (without `/v1/traces`). All activities
 * of an experiment are one trace, whichever worker runs them: its id is made from the experiment's. Workflow code knows
 * nothing of it, since an interceptor there changes the order of its commands, and with it whether histories replay. A
 * collector that is away costs traces, nothing else.
 */
export function createTracing(url: string): Tracing {
  const provider = new BasicTracerProvider({
    resource: new Resource({ 'service.name': 'hephaestus' }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: `${url}/v1/traces` }))],
  });
  return {
    activityInterceptor: interceptorOf(provider.getTracer('hephaestus')),
    close: () => provider.shutdown(),
  };
}

function interceptorOf(tracer: Tracer): ActivityInterceptorsFactory {
  return ({ info }) => ({
    inbound: {
      async execute(input, next) {
        const workflowId = info.workflowExecution?.workflowId ?? '';
        const experiment = experimentIdIn(workflowId);
        const span = tracer.startSpan(
          info.activityType,
          {
            attributes: {
              'temporal.workflow.id': workflowId,
              'temporal.run.id': info.workflowExecution?.runId ?? '',
              'temporal.task_queue': info.taskQueue,
              'temporal.attempt': info.attempt,
              ...(experiment !== undefined && { 'hephaestus.experiment': experiment }),
            },
          },
          trace.setSpanContext(ROOT_CONTEXT, rootOf(experiment ?? workflowId)),
        );
        try {
          return await next(input);
        } catch (error) {
          noteFailure(span, error);
          throw error;
        } finally {
          span.end();
        }
      },
    },
  });
}

/** W3C trace context: 16 bytes for the trace, 8 for the span that all others hang on. */
function rootOf(name: string) {
  const digest = createHash('sha256').update(name).digest('hex');
  return {
    traceId: digest.slice(0, 32),
    spanId: digest.slice(32, 48),
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  };
}

/** The type only: messages may hold what outside systems wrote. Waiting ends each try with a benign failure. */
function noteFailure(span: Span, error: unknown): void {
  const failure = error instanceof ApplicationFailure ? error : null;
  const type = failure?.type ?? (error instanceof Error ? error.name : 'unknown');
  span.setAttribute('error.type', type);
  if (failure?.category === ApplicationFailureCategory.BENIGN) return;
  span.setStatus({ code: SpanStatusCode.ERROR, message: type });
}
