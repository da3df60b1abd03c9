import { createAppAuth } from '@octokit/auth-app';
import { RequestError } from '@octokit/request-error';
import { Octokit } from '@octokit/rest';

import { Failure } from '../failure.ts';
import type { GithubAppSettings, GithubSettings } from '../settings.ts';
import { toFailure } from './to-failure.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const rememberedAnswers = 200;
/** Afterwards one request finds out whether the limit is really still met; ms. */
const longestSilence = 300_000;

type Answer = Awaited<ReturnType<Octokit['request']>>;

/** Who asks: a person's token, or an App in one of its installations. */
export type Credential = { readonly token: string } | { readonly app: GithubAppSettings };

/**
 * Octokit with what every request here needs: a time limit, errors as `Failure`, answers kept by ETag, because an answer
 * that has not changed costs nothing of the rate limit, and silence while a limit is met, because who goes on asking is
 * shut out for longer. No request is sent twice: whoever calls knows which writes may be repeated.
 */
export function createOctokit(
  { apiUrl }: Pick<GithubSettings, 'apiUrl'>,
  credential: Credential,
  timeoutMs: number,
): Octokit {
  const octokit = new Octokit({
    ...signIn(credential),
    baseUrl: apiUrl,
    userAgent: 'hephaestus',
    log: quiet,
  });
  const remembered = new Map<string, Answer>();
  const silence = createSilence();
  octokit.hook.wrap('request', async (send, options) => {
    silence.assertOver(`${options.method} ${options.url}`);
    const { method, url, headers } = octokit.request.endpoint.parse(options);
    const key = method === 'GET' ? `${url} ${headers.accept ?? ''}` : null;
    const before = key === null ? undefined : remembered.get(key);
    const etag = before?.headers.etag;
    // The hooks within this one, the sign-in among them, are given this very object and no copy of it.
    if (etag !== undefined) options.headers['if-none-match'] = etag;
    options.request = { ...options.request, signal: AbortSignal.timeout(timeoutMs) };
    try {
      const answer = await send(options);
      if (key !== null && answer.headers.etag !== undefined) remember(remembered, key, copy(answer));
      return answer;
    } catch (error) {
      if (before !== undefined && error instanceof RequestError && error.status === 304) return copy(before);
      throw silence.heard(toFailure(error));
    }
  });
  return octokit;
}

function signIn(credential: Credential): ConstructorParameters<typeof Octokit>[0] {
  if ('token' in credential) return { auth: credential.token };
  const { id, privateKey, installationId } = credential.app;
  const auth = { appId: id, privateKey, installationId };
  return { authStrategy: createAppAuth, auth };
}

interface Silence {
  /** Throws `GithubRateLimited` while the limit that was met is not over. */
  assertOver(what: string): void;
  heard(error: unknown): unknown;
}

function createSilence(): Silence {
  let until = 0;
  return {
    assertOver(what) {
      const left = until - Date.now();
      if (left <= 0) return;
      const words = `${what} was not sent: GitHub's rate limit was met a moment ago; wait ${Math.ceil(left / 1000)} s`;
      throw new Failure('GithubRateLimited', words, { retryAfterMs: left });
    },
    heard(error) {
      if (error instanceof Failure && error.type === 'GithubRateLimited') {
        until = Math.max(until, Date.now() + Math.min(error.retryAfterMs ?? 0, longestSilence));
      }
      return error;
    },
  };
}

/** Octokit's paging takes the answers apart that it is given. */
function copy(answer: Answer): Answer {
  return { ...answer, data: structuredClone(answer.data) };
}

/** The oldest goes first. */
function remember(remembered: Map<string, Answer>, key: string, answer: Answer): void {
  remembered.delete(key);
  remembered.set(key, answer);
  const [oldest] = remembered.keys();
  if (remembered.size > rememberedAnswers && oldest !== undefined) remembered.delete(oldest);
}
