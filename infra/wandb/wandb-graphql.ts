import { type AxiosInstance, type AxiosResponse, create, isAxiosError } from 'axios';
import { z } from 'zod';

import { Failure } from '../failure.ts';
import type { WandbSettings } from '../settings.ts';
import { parseLooseJson } from './loose-json.ts';

/** Sends one operation and returns its validated `data`. */
export type WandbGraphql = <T>(request: WandbRequest<T>) => Promise<T>;

interface WandbRequest<T> {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly data: z.ZodType<T>;
  readonly signal?: AbortSignal | undefined;
}

const timeoutMs = 30_000;
const maxAnswerBytes = 256 * 1024 * 1024;

const Answer = z.object({
  data: z.unknown(),
  errors: z
    .array(z.object({ message: z.string(), extensions: z.object({ code: z.string().optional() }).nullish() }))
    .optional(),
});

/** GraphQL of one W&B server. The key goes into the header alone: no failure made here carries the request. */
export function createWandbGraphql(settings: WandbSettings): WandbGraphql {
  const { baseUrl } = settings;
  const http = createWandbHttp(settings);
  return async ({ query, variables, data, signal }) => {
    const response = await post(http, '/graphql', { query, variables }, signal);
    checkStatus(response, baseUrl);
    const answer = Answer.safeParse(parseAnswer(response, baseUrl));
    if (!answer.success) throw unavailable(baseUrl, 'an answer that is no GraphQL');
    checkErrors(answer.data, baseUrl);
    const result = data.safeParse(answer.data.data);
    if (!result.success) {
      throw unavailable(
        baseUrl,
        `an answer of another shape than expected: ${z.prettifyError(result.error)}`,
      );
    }
    return result.data;
  };
}

/** For requests to one W&B server; every status is an answer. */
export function createWandbHttp({ baseUrl, apiKey }: WandbSettings): AxiosInstance {
  return create({
    baseURL: baseUrl,
    timeout: timeoutMs,
    maxContentLength: maxAnswerBytes,
    // A redirect means a login page or a wrong address; the key must not follow it.
    maxRedirects: 0,
    headers: {
      authorization: `Basic ${Buffer.from(`api:${apiKey}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    // Bare NaN is no JSON: the text is parsed here.
    responseType: 'text',
    transformResponse: (text: unknown) => text,
    validateStatus: () => true,
  });
}

/** Throws `WandbUnavailable` where no answer comes, and the signal's reason when it was aborted. */
export async function post(
  http: AxiosInstance,
  path: string,
  body: object,
  signal: AbortSignal | undefined,
): Promise<AxiosResponse<unknown>> {
  try {
    return await http.post(path, body, { ...(signal && { signal }) });
  } catch (error) {
    signal?.throwIfAborted();
    if (!isAxiosError(error)) throw error;
    // Not kept as the cause: it holds the whole request with its key.
    const reason = error.code ?? 'no answer';
    throw unavailable(http.defaults.baseURL ?? '', `no answer (${reason})`);
  }
}

/** Throws what an answer stands for that is not a good one. */
export function checkStatus(response: AxiosResponse<unknown>, baseUrl: string): void {
  const { status } = response;
  if (status >= 200 && status < 300) return;
  if (status === 401) throw unauthorized(baseUrl, 'does not accept the API key');
  if (status === 403) throw unauthorized(baseUrl, 'does not let this API key read this');
  if (status === 409) {
    throw new Failure(
      'WandbRunDeleted',
      `W&B at ${baseUrl} says that the run was deleted (HTTP 409), and it never takes a deleted id again. Restore it in its web page (project, "Undelete recently deleted runs"), or use a new id.`,
    );
  }
  const retryAfterMs = retryAfter(response);
  throw unavailable(baseUrl, `HTTP ${status}`, retryAfterMs);
}

function checkErrors({ data, errors = [] }: z.infer<typeof Answer>, baseUrl: string): void {
  const [first] = errors;
  if (first === undefined) return;
  if (errors.some(({ extensions }) => extensions?.code === 'PERMISSION_ERROR')) {
    throw unauthorized(baseUrl, 'does not let this API key read this');
  }
  if (data === null || data === undefined) throw unavailable(baseUrl, `the error "${first.message}"`);
}

function parseAnswer(response: AxiosResponse<unknown>, baseUrl: string): unknown {
  try {
    return parseLooseJson(String(response.data));
  } catch (error) {
    if (error instanceof SyntaxError) throw unavailable(baseUrl, 'an answer that is no JSON');
    throw error;
  }
}

/** `Retry-After` in seconds or as a date, else W&B's own `RateLimit-Reset` in seconds. */
function retryAfter({ status, headers }: AxiosResponse<unknown>): number | undefined {
  const given: unknown = headers['retry-after'] ?? (status === 429 ? headers['ratelimit-reset'] : undefined);
  if (typeof given !== 'string') return undefined;
  const seconds = Number(given);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(given) - Date.now();
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined;
}

function unauthorized(baseUrl: string, what: string): Failure {
  return new Failure(
    'WandbUnauthorized',
    `W&B at ${baseUrl} ${what}. Expected a key of an account that may: copy it from ${appUrl(baseUrl)}/authorize into WANDB_API_KEY, and check WANDB_ENTITY.`,
  );
}

function unavailable(baseUrl: string, what: string, retryAfterMs?: number): Failure {
  return new Failure(
    'WandbUnavailable',
    `W&B at ${baseUrl} gave ${what}. It is asked again; if this lasts, check WANDB_BASE_URL and the network of this machine.`,
    { ...(retryAfterMs !== undefined && { retryAfterMs }) },
  );
}

/** Where people look: the API of the public service has a host of its own, all other servers have one address. */
export function appUrl(baseUrl: string): string {
  return baseUrl.replace(/^https:\/\/api\.wandb\.ai$/, 'https://wandb.ai');
}
