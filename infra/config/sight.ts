import { isIPv4 } from 'node:net';

import type { MetricsSettings, PageSettings } from './config.ts';
import type { Reader } from './reader.ts';

const anyPort = { min: 0, max: 65_535, whole: true } as const;
/** Shorter ones can be guessed. */
const shortestToken = 16;

/** Null where no port is named. */
export function readMetrics(reader: Reader): MetricsSettings | null {
  if (reader.text('HEPHAESTUS_METRICS_PORT') === undefined) return null;
  const port = reader.number('HEPHAESTUS_METRICS_PORT', { ...anyPort, min: 1 });
  return { host: reader.text('HEPHAESTUS_METRICS_HOST') ?? '', port };
}

/** The page on any host that other machines can reach needs a token: what is on it is not for everybody. */
export function readPage(reader: Reader): PageSettings {
  const host = reader.text('HEPHAESTUS_PAGE_HOST') ?? '';
  const url = reader.url('HEPHAESTUS_PAGE_URL') ?? null;
  const todo = 'make one, for example with `openssl rand -hex 24`';
  const open = !isLoopback(host) || (url !== null && URL.canParse(url) && !isLoopback(new URL(url).hostname));
  const token = open
    ? reader.required('HEPHAESTUS_PAGE_TOKEN', `the page can be reached from other machines: ${todo}`)
    : (reader.text('HEPHAESTUS_PAGE_TOKEN') ?? '');
  if (token !== '' && token.length < shortestToken) {
    reader.complain({
      key: 'HEPHAESTUS_PAGE_TOKEN',
      found: `a secret of ${token.length} characters`,
      expected: `at least ${shortestToken}`,
      todo,
    });
  }
  return {
    host,
    port: reader.number('HEPHAESTUS_PAGE_PORT', anyPort),
    token: token === '' ? null : token,
    url,
  };
}

/** Whether a name leads to this machine and no other. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  return name === 'localhost' || name === '::1' || (isIPv4(name) && name.startsWith('127.'));
}
