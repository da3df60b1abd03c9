import { randomBytes } from 'node:crypto';

import { json, type Answer } from './faults.ts';

export interface AccountOptions {
  readonly username: string;
  readonly password: string;
  readonly tokenLifetimeSeconds: number;
  /** The platform has been seen to write the lifetime either way, with an envelope and without. */
  readonly tokenShape: 'string' | 'number' | 'bare';
}

export interface Account {
  readonly counts: { logins: number; refused: number };
  logIn(body: unknown): Answer;
  accepts(authorization: string | undefined): boolean;
}

const triesBeforeLock = 5;

/** The one account of the stand-in. Too many wrong passwords lock it. */
export function createAccount(options: AccountOptions): Account {
  const tokens = new Map<string, number>();
  const counts = { logins: 0, refused: 0 };
  return {
    counts,
    logIn(body) {
      if (typeof body !== 'object' || body === null || !('username' in body) || !('password' in body)) {
        return json(-100_000, '参数校验错误', null, 400);
      }
      const locked = counts.refused >= triesBeforeLock;
      if (locked || body.username !== options.username || body.password !== options.password) {
        counts.refused += 1;
        return json(100_001, locked ? 'account is locked' : 'invalid_grant', null);
      }
      counts.logins += 1;
      const token = randomBytes(24).toString('base64url');
      tokens.set(token, Date.now() + options.tokenLifetimeSeconds * 1000);
      return grant(token, options);
    },
    accepts(authorization) {
      const [scheme, token = ''] = (authorization ?? '').split(' ');
      return scheme === 'Bearer' && (tokens.get(token) ?? 0) > Date.now();
    },
  };
}

function grant(token: string, { tokenShape, tokenLifetimeSeconds }: AccountOptions): Answer {
  const lifetime = tokenShape === 'string' ? String(tokenLifetimeSeconds) : tokenLifetimeSeconds;
  const data = { access_token: token, expires_in: lifetime, token_type: 'Bearer' };
  if (tokenShape !== 'bare') return json(0, 'success', data);
  return { status: 200, type: 'application/json', body: JSON.stringify(data) };
}
