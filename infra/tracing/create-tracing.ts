import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { Resource } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { OpenTelemetryPlugin } from '@temporalio/interceptors-opentelemetry';

/** Traces of workflows and activities, on their way to a collector. */
export interface Tracing {
  /** For `Worker.create` and for a replay. */
  readonly plugin: OpenTelemetryPlugin;
  /** Sends what is left. */
  close(): Promise<void>;
}

/**
 * Makes traces and sends them by OTLP over HTTP to `url` (without `/v1/traces`). The interceptors of a workflow only read
 * and fill headers, so a history that began without traces goes on with them, and the other way round. A collector that
 * is away costs traces, nothing else.
 */
export function createTracing(url: string): Tracing {
  const resource = new Resource({ 'service.name': 'hephaestus' });
  const spanProcessor = new BatchSpanProcessor(new OTLPTraceExporter({ url: `${url}/v1/traces` }));
  const provider = new BasicTracerProvider({ resource, spanProcessors: [spanProcessor] });
  const plugin = new OpenTelemetryPlugin({
    resource,
    spanProcessor,
    tracer: provider.getTracer('hephaestus'),
  });
  return { plugin, close: () => provider.shutdown() };
}
