import { RequestError } from '@octokit/request-error';
import { describe, expect, it } from 'vitest';

import { Failure } from '../../../../infra/failure.ts';
import { toFailure } from '../../../../infra/github/to-failure.ts';

interface Answer {
  readonly headers?: Readonly<Record<string, string>>;
  readonly data?: unknown;
  readonly method?: 'GET' | 'PUT';
  readonly path?: string;
}

function answered(
  status: number,
  { headers = {}, data = { message: 'said' }, method = 'GET', path = '/x' }: Answer = {},
): Failure {
  const url = `https://api.github.example${path}?secret=1`;
  const request = { method, url, headers: { authorization: 'token hidden' } };
  const response = { status, url, headers: { 'content-type': 'application/json', ...headers }, data };
  const failure = toFailure(new RequestError('message', status, { request, response }));
  if (!(failure instanceof Failure)) throw new Error('not a Failure');
  return failure;
}

const merge = { method: 'PUT', path: '/repos/o/r/pulls/1/merge' } as const;

describe('toFailure', () => {
  it.each([
    [401, {}, 'GithubUnauthorized'],
    [403, {}, 'GithubForbidden'],
    [404, {}, 'GithubNotFound'],
    [410, {}, 'GithubNotFound'],
    [422, {}, 'GithubInvalid'],
    [409, {}, 'GithubUnavailable'],
    [409, merge, 'HeadMoved'],
    [405, merge, 'NotMergeable'],
    [500, {}, 'GithubUnavailable'],
    [502, {}, 'GithubUnavailable'],
    [401, { headers: { 'content-type': 'text/html; charset=utf-8' }, data: '<html>' }, 'GithubUnavailable'],
  ])('tells %i %j as %s', (status, answer, type) => {
    expect(answered(status, answer)).toMatchObject({ type, retryAfterMs: undefined });
  });

  it('waits as long as a limit says', () => {
    const reset = String(Math.floor(Date.now() / 1000) + 600);
    const primary = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset };
    for (const status of [403, 429]) {
      const { type, retryAfterMs } = answered(status, { headers: primary });
      expect(type).toBe('GithubRateLimited');
      expect(retryAfterMs).toBeGreaterThan(590_000);
      expect(retryAfterMs).toBeLessThanOrEqual(600_000);
    }
    expect(answered(403, { headers: { 'retry-after': '30' } })).toMatchObject({
      type: 'GithubRateLimited',
      retryAfterMs: 30_000,
    });
    const data = {
      message: 'slow down',
      documentation_url:
        'https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits',
    };
    expect(answered(403, { data })).toMatchObject({ type: 'GithubRateLimited', retryAfterMs: 60_000 });
    expect(answered(429)).toMatchObject({ type: 'GithubRateLimited', retryAfterMs: 60_000 });
    expect(answered(503, { headers: { 'retry-after': '5' } })).toMatchObject({
      type: 'GithubUnavailable',
      retryAfterMs: 5000,
    });
  });

  it('bounds the wait when a clock is wrong', () => {
    const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '99999999999' };
    expect(answered(403, { headers }).retryAfterMs).toBe(3_600_000);
  });

  it("gives GitHub's words and no secret", () => {
    const data = {
      message: 'Validation Failed',
      errors: [{ resource: 'PullRequest', field: 'base', code: 'invalid' }, 'words'],
    };
    const { message } = answered(422, { data });
    expect(message).toContain('GET /x was answered 422: Validation Failed; PullRequest base invalid; words');
    expect(message).not.toMatch(/hidden|secret/);
  });

  it('leaves what is not of GitHub as it is', () => {
    const mistake = new TypeError('a mistake of ours');
    expect(toFailure(mistake)).toBe(mistake);
    const lost = new RequestError('socket hang up', 500, {
      request: { method: 'GET', url: 'https://x.example/', headers: {} },
    });
    expect(toFailure(lost)).toMatchObject({ type: 'GithubUnavailable' });
  });
});
