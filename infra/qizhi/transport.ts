import { randomUUID } from 'node:crypto';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';

import { create as createAxios, isAxiosError, type AxiosInstance } from 'axios';
import type { Logger } from 'pino';
import { ProxyAgent } from 'proxy-agent';

import { answerIds } from './answer-ids.ts';
import type { LimitRate } from './limit-rate.ts';

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

export interface PlatformRequest {
  /** What is asked, for the log. */
  readonly action: string;
  /** With its query. */
  readonly path: string;
  readonly body: unknown;
  /** Credentials and the like; never logged. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly jobId?: string;
}

export interface TransportOptions {
  readonly baseUrl: string;
  readonly proxy: string | undefined;
  /** Of one request, from its start to the last byte of its answer. */
  readonly timeoutMs: number;
  readonly limitRate: LimitRate;
  readonly log: Logger;
}

export type Post = (request: PlatformRequest) => Promise<RawAnswer>;

/** No connection was made at these, so nothing was sent. */
const beforeSending = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);
const maxBytes = 8 * 1024 * 1024;
const longestSilenceMs = 600_000;

/**
 * POSTs JSON to the platform, by connections of its own, no faster than `limitRate` lets it. Where the platform says for how
 * long it wants no requests, the answer to every question until then is the same 429, and nothing is sent. Throws only
 * `NoAnswerError`.
 */
export function createTransport(options: TransportOptions): Post {
  const client = createClient(options);
  let silentUntil = 0;

  async function send(request: PlatformRequest): Promise<RawAnswer> {
    const leftMs = silentUntil - Date.now();
    if (leftMs > 0) return { status: 429, body: '', retryAfterMs: leftMs };
    const answer = await exchange(client, request, options);
    if (answer.status === 429 && answer.retryAfterMs !== undefined) {
      silentUntil = Date.now() + Math.min(answer.retryAfterMs, longestSilenceMs);
    }
    return answer;
  }

  return async (request) => options.limitRate(async () => send(request));
}

async function exchange(
  client: AxiosInstance,
  { action, path, body, headers, jobId }: PlatformRequest,
  options: TransportOptions,
): Promise<RawAnswer> {
  const requestId = randomUUID();
  const startedAt = performance.now();
  const told = () => ({ action, ...(jobId !== undefined && { jobId }), ms: elapsed(startedAt), requestId });
  try {
    const response = await client.post<string>(path, JSON.stringify(body), {
      headers: { ...headers, 'X-Request-Id': requestId },
      signal: AbortSignal.timeout(options.timeoutMs),
    });
    const ids = answerIds(response.data, response.headers['x-request-id']);
    options.log.info({ ...told(), httpStatus: response.status, ...ids }, 'qizhi answered');
    return {
      status: response.status,
      body: response.data,
      retryAfterMs: retryAfterMs(response.headers['retry-after']),
    };
  } catch (error) {
    const failure = noAnswer(error, path, options);
    options.log.warn(
      { ...told(), neverSent: failure.neverSent, why: failure.message },
      'qizhi did not answer',
    );
    throw failure;
  }
}

function elapsed(startedAt: number): number {
  return Math.round(performance.now() - startedAt);
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
