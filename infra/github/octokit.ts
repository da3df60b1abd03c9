import { RequestError } from '@octokit/request-error';
import { Octokit } from '@octokit/rest';

import type { GithubSettings } from '../settings.ts';
import { toFailure } from './to-failure.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const rememberedAnswers = 200;

type Answer = Awaited<ReturnType<Octokit['request']>>;

/**
 * Octokit with what every request here needs: a time limit, errors as `Failure`, and answers kept by ETag, because an
 * answer that has not changed costs nothing of the rate limit.
 */
export function createOctokit(settings: GithubSettings, timeoutMs: number): Octokit {
  const octokit = new Octokit({
    auth: settings.token,
    baseUrl: settings.apiUrl,
    userAgent: 'hephaestus',
    log: quiet,
  });
  const remembered = new Map<string, Answer>();
  octokit.hook.wrap('request', async (send, options) => {
    const { method, url, headers } = octokit.request.endpoint.parse(options);
    const key = method === 'GET' ? `${url} ${headers.accept ?? ''}` : null;
    const before = key === null ? undefined : remembered.get(key);
    const etag = before?.headers.etag;
    try {
      // Octokit's own hook (it signs in) is bound to this very object, and sees nothing of another one.
      Object.assign(options, {
        headers: { ...options.headers, ...(etag !== undefined && { 'if-none-match': etag }) },
        request: { ...options.request, signal: AbortSignal.timeout(timeoutMs) },
      });
      const answer = await send(options);
      if (key !== null && answer.headers.etag !== undefined) remember(remembered, key, copy(answer));
      return answer;
    } catch (error) {
      if (before !== undefined && error instanceof RequestError && error.status === 304) return copy(before);
      throw toFailure(error);
    }
  });
  return octokit;
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
