import { z } from 'zod';

import { Failure } from '../failure.ts';
import { parseEnvelope, parseJson } from './judge-answer.ts';
import { NoAnswerError, type Post, type RawAnswer } from './transport.ts';

export interface TokenSource {
  /** The token to use now. */
  current(): Promise<string>;
  /** A newer one than `refused`, which the platform did not take. */
  renewed(refused: string): Promise<string>;
}

export interface Credentials {
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

/**
 * The login, kept in memory only. However many requests need it at once, one login is under way at most. A login that is
 * refused is never tried again by this process, because repeated wrong passwords lock the account for longer each time.
 */
export function createTokenSource(post: Post, credentials: Credentials): TokenSource {
  let token: Token | undefined;
  let underWay: Promise<Token> | undefined;
  let refusal: Failure | undefined;
  let lastForcedAt = -Infinity;

  async function fresh(): Promise<Token> {
    if (refusal !== undefined) throw refusal;
    underWay ??= logIn(post, credentials).finally(() => {
      underWay = undefined;
    });
    try {
      token = await underWay;
      return token;
    } catch (error) {
      if (error instanceof Failure && error.type === 'QizhiUnauthorized') refusal = error;
      throw error;
    }
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

function refusedAgain(): Failure {
  return new Failure(
    'QizhiUnavailable',
    'Qizhi does not accept a token that it gave out a moment ago. If this goes on, look whether the account may use the OpenAPI.',
    { retryAfterMs: betweenRenewalsMs },
  );
}

async function logIn(post: Post, credentials: Credentials): Promise<Token> {
  const answer = await post('/auth/token', credentials).catch((error: unknown) => {
    if (!(error instanceof NoAnswerError)) throw error;
    throw new Failure('QizhiUnavailable', `Qizhi's login cannot be reached: ${error.message}.`, {
      cause: error,
    });
  });
  return readGrant(answer, credentials.username);
}

/** The token is inside the envelope's `data`, or bare; its lifetime is a number or a string. */
function readGrant(answer: RawAnswer, username: string): Token {
  if (answer.status === 429) {
    throw new Failure('QizhiRateLimited', 'Qizhi limits logins at the moment (HTTP 429).', {
      retryAfterMs: answer.retryAfterMs ?? 30_000,
    });
  }
  const envelope = parseEnvelope(answer.body);
  const code = envelope === undefined ? undefined : String(envelope.code);
  if (code === undefined || code === '0') {
    const grant = Grant.safeParse(envelope?.data ?? parseJson(answer.body)).data;
    if (grant !== undefined && answer.status < 300) return toToken(grant);
  }
  if (code === '429' || code === '500' || answer.status >= 500 || isPage(answer, code)) {
    throw new Failure(
      'QizhiUnavailable',
      `Qizhi's login answered HTTP ${answer.status} without a token; expected JSON with data.access_token.`,
    );
  }
  throw new Failure(
    'QizhiUnauthorized',
    `Qizhi refused the login of "${username}" (HTTP ${answer.status}, code ${code ?? 'none'}). Check QIZHI_USERNAME (the login id, ` +
      'not the display name) and QIZHI_PASSWORD, then restart this worker. It is not tried again by itself: repeated tries lock ' +
      'the account. An account of the campus login may have no password that works here.',
  );
}

/** A gateway's page or a redirect to a login page says nothing about the password. */
function isPage(answer: RawAnswer, code: string | undefined): boolean {
  return code === undefined && answer.status !== 400 && answer.status !== 401 && answer.status !== 403;
}

function toToken(grant: z.infer<typeof Grant>): Token {
  const lifetimeMs = Number(grant.expires_in ?? defaultLifetimeSeconds) * 1000;
  const earlyMs = Math.min(longestEarlyMs, lifetimeMs / 10);
  return { value: grant.access_token, renewAt: Date.now() + lifetimeMs - earlyMs };
}
