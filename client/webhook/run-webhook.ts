import { once } from 'node:events';

import { ConfigError } from '../../infra/config/config-error.ts';
import { section, type Config } from '../../infra/config/config.ts';
import { createLog } from '../../infra/log.ts';
import { openExperiments } from '../experiments.ts';
import { createWebhookServer } from './create-webhook-server.ts';

export interface RunWebhookOptions {
  /** Aborting it stops the server after the requests under way. */
  readonly signal: AbortSignal;
  readonly onListening?: (url: string) => void;
}

/**
 * Serves webhooks until it is told to stop (the signal, or SIGTERM). Starts also while Temporal is away, answering 503.
 * Throws `ConfigError` when the port is taken.
 */
export async function runWebhook(config: Config, { signal, onListening }: RunWebhookOptions): Promise<void> {
  const { secret, host, port } = section(config, 'webhook');
  const log = createLog(config.logLevel);
  const experiments = openExperiments(config.temporal);
  const server = createWebhookServer({ experiments, policy: config.policy, secret, log });
  const stop = new AbortController();
  const terminate = (): void => stop.abort();
  process.once('SIGTERM', terminate);
  try {
    const url = await server.listen({ host, port }).catch((error: unknown) => {
      throw portTaken(error, port) ?? error;
    });
    log.info({ url }, 'listening for webhooks');
    onListening?.(url);
    const either = AbortSignal.any([signal, stop.signal]);
    if (!either.aborted) await once(either, 'abort');
  } finally {
    process.removeListener('SIGTERM', terminate);
    await server.close();
    await experiments.close();
  }
}

function portTaken(error: unknown, port: number): ConfigError | undefined {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'EADDRINUSE') return undefined;
  const found = `${port}, which another program listens on`;
  const todo = 'stop that program or choose another port';
  return new ConfigError([{ key: 'HEPHAESTUS_WEBHOOK_PORT', found, expected: 'a free port', todo }]);
}
