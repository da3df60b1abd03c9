import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createLogIn } from '../../../../infra/qizhi/log-in.ts';
import type { RawAnswer } from '../../../../infra/qizhi/transport.ts';

const credentials = { username: 'researcher', password: 'canary' };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A login that gives out `token-1`, `token-2` and so on. */
function platform(expiresIn: unknown) {
  let logins = 0;
  const post = async (): Promise<RawAnswer> => {
    logins += 1;
    const data = { access_token: `token-${logins}`, expires_in: expiresIn };
    return {
      status: 200,
      body: JSON.stringify({ code: 0, message: 'success', data }),
      retryAfterMs: undefined,
    };
  };
  return createLogIn(post, credentials);
}

describe('createLogIn', () => {
  it.each(['1000', 1000])('keeps a token for %j seconds, less a tenth', async (expiresIn) => {
    const tokens = platform(expiresIn);
    expect(await tokens.current()).toBe('token-1');
    vi.advanceTimersByTime(899_000);
    expect(await tokens.current()).toBe('token-1');
    vi.advanceTimersByTime(2000);
    expect(await tokens.current()).toBe('token-2');
  });

  it('renews a week-long token five minutes early', async () => {
    const tokens = platform('604800');
    await tokens.current();
    vi.advanceTimersByTime(604_800_000 - 301_000);
    expect(await tokens.current()).toBe('token-1');
    vi.advanceTimersByTime(2000);
    expect(await tokens.current()).toBe('token-2');
  });

  it('gives everybody whose token was refused the same new one', async () => {
    const tokens = platform(1000);
    const old = await tokens.current();
    expect(await Promise.all([tokens.renewed(old), tokens.renewed(old)])).toEqual(['token-2', 'token-2']);
    expect(await tokens.renewed(old)).toBe('token-2');
    expect(await tokens.current()).toBe('token-2');
  });
});
