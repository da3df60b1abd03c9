import { createHmac, timingSafeEqual } from 'node:crypto';

const form = /^sha256=[0-9a-f]{64}$/i;

/** Whether a header could be a signature at all; one that cannot be needs no look at the body. */
export function looksSigned(header: string): boolean {
  return form.test(header);
}

/** Whether `header` is GitHub's signature of exactly these bytes; takes as long for a wrong one as for the right one. */
export function isSigned(secret: string, body: Uint8Array, header: string): boolean {
  if (!looksSigned(header)) return false;
  const expected = createHmac('sha256', secret).update(body).digest();
  return timingSafeEqual(expected, Buffer.from(header.slice('sha256='.length), 'hex'));
}
