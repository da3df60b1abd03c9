import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** How long somebody stays logged in on one device, ms. */
export const sessionMs = 30 * 24 * 3_600_000;

export const sessionCookie = 'hephaestus_session';

/** Who may look at the page: whoever knows the token, or holds a session that was made from it. */
export interface Login {
  /** In constant time. */
  knows(token: string): boolean;
  /** A cookie's value that ends by itself; another token makes all of them void. */
  openSession(now: number): string;
  isOpen(session: string | undefined, now: number): boolean;
}

/** Keeps nothing: a restart logs nobody out. */
export function createLogin(token: string): Login {
  const key = createHmac('sha256', token).update('hephaestus page session').digest();
  const sign = (expires: string): string => createHmac('sha256', key).update(expires).digest('base64url');
  return {
    knows: (given) => isSame(given, token),
    openSession(now) {
      const expires = String(now + sessionMs);
      return `${expires}.${sign(expires)}`;
    },
    isOpen(session, now) {
      const [expires = '', signature = ''] = (session ?? '').split('.', 2);
      return isSame(signature, sign(expires)) && Number(expires) > now;
    },
  };
}

/** Digests have one length, so that not even the length of the secret shows in the time this takes. */
function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(digestOf(given), digestOf(expected));
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
