import { randomBytes } from 'node:crypto';

import { openapiEnvelope, refuse, type Answer, type Result } from './answers.ts';
import type { LiveSettings } from './settings.ts';

export interface AccountOptions {
  readonly username: string;
  readonly password: string;
  readonly settings: LiveSettings;
}

export interface Account {
  readonly counts: { logins: number; refused: number };
  logIn(body: unknown): Answer;
  /** Whether an `Authorization` header carries a token that is good. */
  accepts(authorization: string | undefined): boolean;
  /** Whether it is locked, and how many of its tokens are good. */
  state(): { readonly locked: boolean; readonly tokens: number };
  setLocked(locked: boolean): void;
  /** No token that was given is good any more. */
  revoke(): void;
}

/** The one account of the stand-in. Too many wrong passwords lock it. */
export function createAccount({ username, password, settings }: AccountOptions): Account {
  const tokens = new Map<string, number>();
  const counts = { logins: 0, refused: 0 };
  let wrongTries = 0;
  let locked = false;

  function tryLogin(body: unknown): Result {
    if (typeof body !== 'object' || body === null || !('username' in body) || !('password' in body)) {
      return refuse('body', '参数校验错误');
    }
    const right = body.username === username && body.password === password;
    if (!locked && right && !settings.current.account.cas) {
      wrongTries = 0;
      counts.logins += 1;
      return { data: grant() };
    }
    counts.refused += 1;
    wrongTries += 1;
    if (locked) return refuse('login', 'account is locked');
    locked = wrongTries >= settings.current.account.triesBeforeLock;
    return refuse('login', 'invalid_grant');
  }

  function grant(): Record<string, unknown> {
    const { lifetimeSeconds, shape } = settings.current.token;
    const token = randomBytes(24).toString('base64url');
    tokens.set(token, Date.now() + lifetimeSeconds * 1000);
    const lifetime = shape === 'string' ? String(lifetimeSeconds) : lifetimeSeconds;
    return { access_token: token, expires_in: lifetime, token_type: 'Bearer' };
  }

  return {
    counts,
    logIn(body) {
      const result = tryLogin(body);
      if ('refusal' in result) return openapiEnvelope.refusal(result.refusal);
      if (settings.current.token.shape !== 'bare') return openapiEnvelope.success(result.data);
      return { status: 200, type: 'application/json', body: JSON.stringify(result.data) };
    },
    accepts(authorization) {
      const [scheme, token = ''] = (authorization ?? '').split(' ');
      return scheme === 'Bearer' && (tokens.get(token) ?? 0) > Date.now();
    },
    state: () => ({ locked, tokens: [...tokens.values()].filter((end) => end > Date.now()).length }),
    setLocked(value) {
      locked = value;
      if (!value) wrongTries = 0;
    },
    revoke: () => tokens.clear(),
  };
}
