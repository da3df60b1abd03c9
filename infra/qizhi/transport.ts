import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';

import { create as createAxios, isAxiosError, type AxiosInstance } from 'axios';
import { ProxyAgent } from 'proxy-agent';

/** An answer as it came: whatever its status and whatever it is made of. */
export interface RawAnswer {
  readonly status: number;
  readonly body: string;
  /** Milliseconds to wait, from the header `Retry-After`. */
  readonly retryAfterMs: number | undefined;
}

/** No answer came. */
export class NoAnswerError extends Error {
  /** True when the request provably never reached the platform. */
  readonly neverSent: boolean;

  constructor(message: string, neverSent: boolean, cause: unknown) {
    super(message, { cause });
    this.name = 'NoAnswerError';
    this.neverSent = neverSent;
  }
}

export interface TransportOptions {
  readonly baseUrl: string;
  readonly proxy: string | undefined;
  /** Of one request, from its start to the last byte of its answer. */
  readonly timeoutMs: number;
}

export type Post = (path: string, body: unknown, token?: string) => Promise<RawAnswer>;

/** No connection was made at these, so nothing was sent. */
const beforeSending = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);
const maxBytes = 8 * 1024 * 1024;

/** POSTs JSON to the platform, by connections of its own. Throws only `NoAnswerError`. */
export function createTransport(options: TransportOptions): Post {
  const client = createClient(options);
  return async (path, body, token) => {
    try {
      const response = await client.post<string>(path, JSON.stringify(body), {
        headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(options.timeoutMs),
      });
      return {
        status: response.status,
        body: response.data,
        retryAfterMs: retryAfterMs(response.headers['retry-after']),
      };
    } catch (error) {
      throw noAnswer(error, path, options);
    }
  };
}

function createClient({ baseUrl, proxy }: TransportOptions): AxiosInstance {
  // A connection that was kept may be dead without our knowing, which would make a submission's outcome unknown.
  const agents =
    proxy === undefined
      ? { httpAgent: new HttpAgent(), httpsAgent: new HttpsAgent() }
      : proxyAgents(new ProxyAgent({ getProxyForUrl: () => proxy, keepAlive: false }));
  return createAxios({
    baseURL: baseUrl,
    ...agents,
    // The process's proxy variables are about other hosts.
    proxy: false,
    // A redirect leads to a login page, which would then look like an answer.
    maxRedirects: 0,
    validateStatus: () => true,
    responseType: 'text',
    transformResponse: (data: unknown) => (typeof data === 'string' ? data : ''),
    maxContentLength: maxBytes,
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
  });
}

function proxyAgents(agent: ProxyAgent) {
  return { httpAgent: agent, httpsAgent: agent };
}

/** Names what went wrong, without the request: it holds a token or a password. */
function noAnswer(error: unknown, path: string, options: TransportOptions): NoAnswerError {
  const code = isAxiosError(error) ? (error.code ?? '') : '';
  const where = `${options.baseUrl}${path}${options.proxy === undefined ? '' : ' through the proxy'}`;
  const why =
    code === 'ERR_CANCELED' ? `no whole answer within ${options.timeoutMs} ms` : code || 'connection failed';
  return new NoAnswerError(`${where}: ${why}`, beforeSending.has(code), undefined);
}

function retryAfterMs(header: unknown): number | undefined {
  if (typeof header !== 'string') return undefined;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
