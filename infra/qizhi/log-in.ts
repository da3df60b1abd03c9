import { z } from 'zod';

import { Failure } from '../failure.ts';
import type { Credentials } from './credentials.ts';
import { readOpenapiEnvelope } from './envelopes.ts';
import { shorten, type Said } from './judge-answer.ts';
import { parseJson } from './parse-json.ts';
import { meaningOf } from './platform-codes.ts';
import { NoAnswerError, type Post, type RawAnswer } from './transport.ts';

export interface Account {
  readonly username: string;
  readonly password: string;
}

const Grant = z.object({
  access_token: z.string().min(1),
  expires_in: z.union([z.number(), z.string().regex(/^\d+$/)]).optional(),
});

interface Token {
  readonly value: string;
  /** When to fetch the next one, before this one ends. */
  readonly renewAt: number;
}

const defaultLifetimeSeconds = 3600;
const longestEarlyMs = 300_000;
/** A platform that refuses a token that it has just given would otherwise be asked to log in for every request. */
const betweenRenewalsMs = 5000;
/** Pauses after a login that ended in a fault of the platform's own: it may have counted as a wrong password there. */
const faultPausesMs = [60_000, 300_000, 900_000, 1_800_000] as const;

/**
 * The login, kept in memory only. However many requests need it at once, one login is under way at most. A login that is
 * refused is never tried again by this process, because repeated wrong passwords lock the account for longer each time.
 */
export function createLogIn(post: Post, account: Account): Credentials {
  let token: Token | undefined;
  let underWay: Promise<Token> | undefined;
  let refusal: Failure | undefined;
  let lastForcedAt = -Infinity;
  let faults = 0;
  let notBefore = -Infinity;

  async function logIn(): Promise<Token> {
    const waitMs = notBefore - Date.now();
    if (waitMs > 0) throw faultyBefore(waitMs);
    const answer = await postLogin(post, account);
    const verdict = judgeLogin(answer);
    switch (verdict.status) {
      case 'token':
        faults = 0;
        return verdict.token;
      case 'fault':
        notBefore = Date.now() + (faultPausesMs[faults] ?? 1_800_000);
        faults += 1;
        throw noToken(answer);
      case 'no-token':
        throw noToken(answer);
      case 'refused':
        refusal = refusedLogin(answer, verdict, account);
        throw refusal;
    }
  }

  async function fresh(): Promise<Token> {
    if (refusal !== undefined) throw refusal;
    underWay ??= logIn().finally(() => {
      underWay = undefined;
    });
    token = await underWay;
    return token;
  }

  return {
    async current() {
      if (token !== undefined && Date.now() < token.renewAt) return token.value;
      return (await fresh()).value;
    },
    async renewed(refused) {
      if (token !== undefined && token.value !== refused) return token.value;
      if (underWay === undefined) {
        if (Date.now() - lastForcedAt < betweenRenewalsMs) throw refusedAgain();
        lastForcedAt = Date.now();
      }
      return (await fresh()).value;
    },
  };
}

async function postLogin(post: Post, account: Account): Promise<RawAnswer> {
  const { username, password } = account;
  const answer = await post({ action: 'login', path: '/auth/token', body: { username, password } }).catch(
    (error: unknown) => {
      if (!(error instanceof NoAnswerError)) throw error;
      throw new Failure('QizhiUnavailable', `Qizhi's login cannot be reached: ${error.message}.`, {
        cause: error,
      });
    },
  );
  if (answer.status !== 429) return answer;
  throw new Failure('QizhiRateLimited', 'Qizhi limits logins at the moment (HTTP 429).', {
    retryAfterMs: answer.retryAfterMs ?? 30_000,
  });
}

type LoginVerdict =
  | { readonly status: 'token'; readonly token: Token }
  /** The platform's own fault. */
  | { readonly status: 'fault' }
  /** A gateway's page, or a redirect to a login page: says nothing about the password. */
  | { readonly status: 'no-token' }
  | { readonly status: 'refused'; readonly code: string; readonly message: string };

/** The token is inside the envelope's `data`, or bare; its lifetime is a number or a string. */
function judgeLogin({ status, body }: RawAnswer): LoginVerdict {
  const said = readOpenapiEnvelope(body);
  const grant = said?.status === 'error' ? undefined : readGrant(said, body);
  if (grant !== undefined && status < 300) return { status: 'token', token: toToken(grant) };
  if (said?.status === 'error') {
    if (meaningOf(said.code).kind === 'rate-limited') return { status: 'no-token' };
    const isFault = status >= 500 || said.code === '500';
    return isFault ? { status: 'fault' } : { status: 'refused', code: said.code, message: said.message };
  }
  const isRefusal = status === 400 || status === 401 || status === 403;
  return isRefusal ? { status: 'refused', code: 'none', message: '' } : { status: 'no-token' };
}

function readGrant(said: Said | undefined, body: string): z.infer<typeof Grant> | undefined {
  return Grant.safeParse(said?.status === 'data' ? said.data : parseJson(body)).data;
}

function toToken(grant: z.infer<typeof Grant>): Token {
  const lifetimeMs = Number(grant.expires_in ?? defaultLifetimeSeconds) * 1000;
  const earlyMs = Math.min(longestEarlyMs, lifetimeMs / 10);
  return { value: grant.access_token, renewAt: Date.now() + lifetimeMs - earlyMs };
}

function refusedAgain(): Failure {
  return new Failure(
    'QizhiUnavailable',
    'Qizhi does not accept a token that it gave out a moment ago. If this goes on, look whether the account may use the API of QIZHI_API.',
    { retryAfterMs: betweenRenewalsMs },
  );
}

function faultyBefore(retryAfterMs: number): Failure {
  return new Failure(
    'QizhiUnavailable',
    "Qizhi's login ended in a fault of its own; it is left alone for a while, so that the account is not locked.",
    { retryAfterMs },
  );
}

function noToken({ status }: RawAnswer): Failure {
  return new Failure(
    'QizhiUnavailable',
    `Qizhi's login answered HTTP ${status} without a token; expected JSON with data.access_token.`,
  );
}

function refusedLogin(
  { status }: RawAnswer,
  { code, message }: { readonly code: string; readonly message: string },
  { username, password }: Account,
): Failure {
  const words = message === '' ? '' : `, "${shorten(message.replaceAll(password, '[password]'))}"`;
  return new Failure(
    'QizhiUnauthorized',
    `Qizhi refused the login of "${username}" (HTTP ${status}, code ${code}${words}). Check QIZHI_USERNAME (the login id, ` +
      'not the display name) and QIZHI_PASSWORD, then restart this worker. It is not tried again by itself: repeated tries lock ' +
      'the account. An account of the campus login (CAS) is refused with invalid_grant although its password is right: then set ' +
      'QIZHI_API=v2 and give a session by QIZHI_V2_CREDENTIAL=cookie or token.',
  );
}
