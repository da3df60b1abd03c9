import { readFile } from 'node:fs/promises';

import { Failure } from '../failure.ts';
import type { Credentials } from './credentials.ts';

export interface GivenCredential {
  /** The setting that it came by, for messages. */
  readonly key: 'QIZHI_ACCESS_TOKEN' | 'QIZHI_SESSION_COOKIE';
  readonly value: string;
  /** Absolute path of the file that somebody else keeps fresh; undefined when it stands in the environment. */
  readonly file: string | undefined;
}

/** Nothing is sent with a refused credential before this has passed: a gateway may have refused it by mistake. */
const offeredAgainAfterMs = 60_000;
const betweenReadsMs = 5000;

/**
 * A credential that somebody else makes and renews: it lives for minutes to an hour. Once the platform has refused it, its
 * file is read again, and the questions of this process fail without being sent until another one stands there.
 */
export function createGivenCredential({ key, value: first, file }: GivenCredential): Credentials {
  let current = first;
  let refused: { readonly value: string; readonly at: number } | undefined;
  let reading: { readonly at: number; readonly secret: Promise<string> } | undefined;

  /** Everybody who needs it within a few seconds gets the same answer. */
  async function readAgain(path: string): Promise<string> {
    if (reading === undefined || Date.now() - reading.at >= betweenReadsMs) {
      reading = { at: Date.now(), secret: readSecret(key, path) };
    }
    return reading.secret;
  }

  async function usable(): Promise<string> {
    if (refused === undefined || refused.value !== current) return current;
    if (file !== undefined) {
      const secret = await readAgain(file);
      if (secret !== refused?.value) return (current = secret);
    }
    if (refused !== undefined && Date.now() - refused.at < offeredAgainAfterMs) throw notAccepted(key, file);
    refused = undefined;
    return current;
  }

  return {
    current: usable,
    async renewed(value) {
      if (value === current) refused = { value, at: Date.now() };
      return usable();
    },
  };
}

function notAccepted(key: string, file: string | undefined): Failure {
  const todo =
    file === undefined
      ? `Give a new one and restart this worker, or give it by ${key}_FILE: a file is read again`
      : `Put a new one into the file of ${key}_FILE: it is read again by itself`;
  return new Failure(
    'QizhiUnauthorized',
    `Qizhi does not accept the credential of ${key} (any more). ${todo}. If it is new, check QIZHI_V2_CREDENTIAL and QIZHI_CLIENT_SOURCE.`,
    { retry: true, retryAfterMs: offeredAgainAfterMs },
  );
}

async function readSecret(key: string, file: string): Promise<string> {
  const problem = (what: string, cause?: unknown): Failure =>
    new Failure(
      'QizhiUnauthorized',
      `The file of ${key}_FILE (${file}) ${what}: expected the credential in it.`,
      {
        retry: true,
        retryAfterMs: offeredAgainAfterMs,
        cause,
      },
    );
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw problem(
      `cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown'})`,
      error,
    );
  });
  const secret = text.replace(/\r?\n$/, '');
  // Whoever renews it may be writing it in this moment; a line break inside would end the header.
  if (!/^[\x21-\x7e]+$/.test(secret))
    throw problem(`holds ${secret.length} characters that are no credential`);
  return secret;
}
