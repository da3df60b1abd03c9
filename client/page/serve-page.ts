import { fastify } from 'fastify';
import type { Logger } from 'pino';

import { section, type Config } from '../../infra/config/config.ts';
import type { Experiments } from '../experiments.ts';
import { listenOn } from '../listen-on.ts';
import { registerPage } from './register-page.ts';

export interface ServedPage {
  /** Without a slash at the end. */
  readonly url: string;
  close(): Promise<void>;
}

/** Nobody sends a page more than a token. */
const bodyLimit = 16_384;

/**
 * Serves the page for people on a port of its own: the webhook server's is the one that a tunnel or a proxy opens to the
 * Internet. Throws `ConfigError` when the port is taken.
 */
export async function servePage(
  config: Config,
  { experiments, log }: { readonly experiments: Experiments; readonly log: Logger },
): Promise<ServedPage> {
  const settings = section(config, 'page');
  const server = fastify({ logger: false, bodyLimit });
  await registerPage(server, { experiments, settings, temporal: config.temporal, log });
  const { host, port } = settings;
  try {
    const url = await listenOn(server, { host, port, key: 'HEPHAESTUS_PAGE_PORT' });
    log.info({ url }, 'showing the page for people');
    return { url, close: () => server.close() };
  } catch (error) {
    await server.close();
    throw error;
  }
}
