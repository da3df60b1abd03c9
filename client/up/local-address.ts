import { ConfigError, type ConfigProblem } from '../../infra/config/config-error.ts';
import type { TemporalSettings } from '../../infra/config/config.ts';

/** Where the Temporal that belongs to `up` listens, on the loopback. */
export interface LocalAddress {
  readonly port: number;
  readonly uiPort: number;
  readonly namespace: string;
}

const loopback = new Set(['127.0.0.1', 'localhost']);

/**
 * The ports of the settings by which all other commands find Temporal. Throws `ConfigError` when these settings mean a
 * Temporal that is not this machine's own.
 */
export function localAddress({
  address,
  namespace,
  uiUrl,
  connectionOptions,
}: TemporalSettings): LocalAddress {
  const problems: ConfigProblem[] = [];
  const split = address.lastIndexOf(':');
  const todo =
    'remove it, or serve that Temporal with `hephaestus worker` and `hephaestus webhook` instead of `up`';
  if (!loopback.has(address.slice(0, split))) {
    const expected = 'an address of the loopback, since `up` brings its own Temporal';
    problems.push({ key: 'TEMPORAL_ADDRESS', found: JSON.stringify(address), expected, todo });
  }
  if (connectionOptions.apiKey !== undefined || Boolean(connectionOptions.tls)) {
    const found = 'credentials for a Temporal that is not the own one of `up`';
    problems.push({ key: 'TEMPORAL_API_KEY or TEMPORAL_TLS_*', found, expected: 'none', todo });
  }
  const ui = new URL(uiUrl);
  const port = Number(address.slice(split + 1));
  const uiPort = Number(ui.port === '' ? 80 : ui.port);
  if (ui.protocol !== 'http:' || !loopback.has(ui.hostname) || uiPort === port) {
    problems.push({
      key: 'HEPHAESTUS_TEMPORAL_UI_URL',
      found: JSON.stringify(uiUrl),
      expected: 'http://127.0.0.1 with a port of its own, where the Web UI of `up` will be',
      todo: 'remove it, or name a free port',
    });
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { port, uiPort, namespace };
}
