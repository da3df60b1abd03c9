import { RequestError } from '@octokit/request-error';

import type { FailureType } from '../../domain/failure.ts';
import { Failure } from '../failure.ts';

/** GitHub asks for at least this when it names no time. */
const secondaryWaitMs = 60_000;
/** A primary limit is over within the hour; a larger answer is a wrong clock. */
const longestWaitMs = 3_600_000;

type Headers = Readonly<Record<string, string | number | undefined>>;

/** The one place where what Octokit throws becomes a `Failure`; everything else passes through. */
export function toFailure(error: unknown): unknown {
  if (error instanceof Failure || !(error instanceof Error)) return error;
  if (!(error instanceof RequestError)) return isGivenUp(error) ? unreachable(error, 'GitHub') : error;
  const what = `${error.request.method} ${pathOf(error.request.url)}`;
  const { response } = error;
  // Octokit names what never came back "500" as well.
  if (response === undefined) return unreachable(error, what);
  const headers: Headers = response.headers;
  if (String(headers['content-type'] ?? '').startsWith('text/html')) return page(error, what, headers);
  const retryAfterMs = rateLimitWait(error.status, headers, response.data);
  if (retryAfterMs !== null) {
    const seconds = Math.ceil(retryAfterMs / 1000);
    return new Failure('GithubRateLimited', `${what} met GitHub's rate limit: wait ${seconds} s`, {
      cause: error,
      retryAfterMs,
    });
  }
  const type = typeOf(error.status, what);
  return new Failure(
    type,
    `${what} was answered ${error.status}: ${said(response.data)}${advice[type] ?? ''}`,
    {
      cause: error,
      ...wait(headers),
    },
  );
}

const advice: Partial<Record<FailureType, string>> = {
  GithubUnauthorized: '; give a valid token in GITHUB_TOKEN',
  GithubForbidden:
    '; the token needs write access to contents, pull requests and commit statuses of this repository',
  GithubNotFound: '; GitHub answers so too when the token may not see it',
};

function typeOf(status: number, what: string): FailureType {
  const isMerge = /^PUT .*\/merge$/.test(what);
  switch (status) {
    case 401:
      return 'GithubUnauthorized';
    case 403:
    case 451:
      return 'GithubForbidden';
    case 404:
    case 410:
      return 'GithubNotFound';
    case 405:
      return isMerge ? 'NotMergeable' : 'GithubInvalid';
    case 409:
      // Elsewhere a conflict with somebody's write at the same moment, which passes.
      return isMerge ? 'HeadMoved' : 'GithubUnavailable';
    case 408:
    case 425:
      return 'GithubUnavailable';
    default:
      return status >= 400 && status < 500 ? 'GithubInvalid' : 'GithubUnavailable';
  }
}

/** A page instead of an answer is from something in between: a proxy, a sign-in, a unicorn. */
function page(error: RequestError, what: string, headers: Headers): Failure {
  return new Failure(
    'GithubUnavailable',
    `${what} was answered ${error.status} with a page instead of JSON; look at GITHUB_API_URL and at what stands between`,
    { cause: error, ...wait(headers) },
  );
}

function unreachable(error: Error, what: string): Failure {
  const cause = error.cause instanceof Error ? error.cause.message : error.message;
  return new Failure('GithubUnavailable', `${what} got no answer (${cause}); look at GITHUB_API_URL`, {
    cause: error,
  });
}

/** ms to wait when the answer is about a limit, primary or secondary; null when it is not. */
function rateLimitWait(status: number, headers: Headers, data: unknown): number | null {
  if (status !== 403 && status !== 429) return null;
  const named = wait(headers).retryAfterMs;
  if (named !== undefined) return named;
  if (headers['x-ratelimit-remaining'] !== undefined && Number(headers['x-ratelimit-remaining']) === 0) {
    const until = Number(headers['x-ratelimit-reset']) * 1000 - Date.now();
    return Number.isFinite(until) ? clamp(until) : secondaryWaitMs;
  }
  return status === 429 || documentation(data).includes('rate-limit') ? secondaryWaitMs : null;
}

function wait(headers: Headers): { retryAfterMs?: number } {
  const value = headers['retry-after'];
  if (value === undefined || value === '') return {};
  const seconds = Number(value);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(String(value)) - Date.now();
  return Number.isFinite(ms) ? { retryAfterMs: clamp(ms) } : {};
}

function clamp(ms: number): number {
  return Math.min(Math.max(ms, 1000), longestWaitMs);
}

function documentation(data: unknown): string {
  const url =
    typeof data === 'object' && data !== null && 'documentation_url' in data && data.documentation_url;
  return typeof url === 'string' ? url : '';
}

/** GitHub's own words: the message and what it says of each field. */
function said(data: unknown): string {
  if (typeof data !== 'object' || data === null || !('message' in data)) return 'no reason given';
  const errors = 'errors' in data && Array.isArray(data.errors) ? data.errors : [];
  const details = errors.map((one: unknown) => (typeof one === 'string' ? one : detailOf(one)));
  return [String(data.message), ...details].join('; ').slice(0, 500);
}

function detailOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { message, field, code, resource } = error as Record<string, unknown>;
  if (typeof message === 'string') return message;
  return [resource, field, code].filter((part) => typeof part === 'string').join(' ');
}

function isGivenUp(error: Error): boolean {
  return error.name === 'AbortError' || error.name === 'TimeoutError';
}

function pathOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname : url;
}
