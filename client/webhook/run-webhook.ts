import { once } from 'node:events';

import { section, type Config } from '../../infra/config/config.ts';
import { createLog } from '../../infra/log.ts';
import { createLabMetrics } from '../../infra/metrics/create-lab-metrics.ts';
import { openExperiments } from '../experiments.ts';
import { listenOn } from '../listen-on.ts';
import { servePage, type ServedPage } from '../page/serve-page.ts';
import { createWebhookServer } from './create-webhook-server.ts';

export interface RunWebhookOptions {
  /** Aborting it stops the server after the requests under way. */
  readonly signal: AbortSignal;
  readonly onListening?: (url: string) => void;
  /** Called with the address of the page for people. */
  readonly onPage?: (url: string) => void;
}

/**
 * Serves webhooks until it is told to stop (the signal, or SIGTERM). Starts also while Temporal is away, answering 503.
 * Throws `ConfigError` when the port is taken.
 */
export async function runWebhook(
  config: Config,
  { signal, onListening, onPage }: RunWebhookOptions,
): Promise<void> {
  const { secret, host, port } = section(config, 'webhook');
  const log = createLog(config.logLevel);
  const experiments = openExperiments(config.temporal);
  const figures = createLabMetrics((maxAgeMs) => experiments.lab(maxAgeMs));
  const server = createWebhookServer({
    experiments,
    policy: config.policy,
    secret,
    log,
    figures: () => figures.render(),
  });
  let page: ServedPage | null = null;
  const stop = new AbortController();
  const terminate = (): void => stop.abort();
  process.once('SIGTERM', terminate);
  try {
    const url = await listenOn(server, { host, port, key: 'HEPHAESTUS_WEBHOOK_PORT' });
    log.info({ url }, 'listening for webhooks');
    page = await servePage(config, { experiments, log });
    onPage?.(page.url);
    onListening?.(url);
    const either = AbortSignal.any([signal, stop.signal]);
    if (!either.aborted) await once(either, 'abort');
  } finally {
    process.removeListener('SIGTERM', terminate);
    await page?.close();
    await server.close();
    await experiments.close();
  }
}
