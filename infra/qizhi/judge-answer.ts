import { meaningOf } from './platform-codes.ts';
import type { RawAnswer } from './transport.ts';

/** What a surface's envelope says. */
export type Said =
  | { readonly status: 'data'; readonly data: unknown }
  | { readonly status: 'error'; readonly code: string; readonly message: string };

/** Undefined when the body is anything but the surface's envelope. */
export type ReadEnvelope = (body: string) => Said | undefined;

/** What an answer says, before it is known what was asked. */
export type Judgement =
  | { readonly status: 'data'; readonly data: unknown }
  /** The credential is no longer good: nothing was done. */
  | { readonly status: 'expired'; readonly why: string }
  /** Turned away at the door: nothing was done. */
  | { readonly status: 'rate-limited'; readonly retryAfterMs: number | undefined }
  /** Something between us and the platform, or a fault inside it: what was done is not known. */
  | { readonly status: 'unclear'; readonly why: string; readonly httpStatus: number }
  /** The platform's own answer. `firm` is false when it came as a server fault, which may have left something behind. */
  | { readonly status: 'refused'; readonly code: string; readonly message: string; readonly firm: boolean };

/**
 * The order matters: a gateway's 429 is an HTML page, an ended login may be a redirect, a server fault says nothing firm
 * whatever its body, and only then are a code and the data worth reading. A refusal may come with HTTP 200, 400 or 500.
 */
export function judgeAnswer(answer: RawAnswer, readEnvelope: ReadEnvelope): Judgement {
  const { status } = answer;
  if (status === 429) return { status: 'rate-limited', retryAfterMs: answer.retryAfterMs };
  if (status === 401 || (status >= 300 && status < 400)) return { status: 'expired', why: `HTTP ${status}` };
  const said = readEnvelope(answer.body);
  if (said === undefined) return unclear(answer, `HTTP ${status} with ${describeBody(answer.body)}`);
  if (said.status === 'data') {
    return status >= 400 ? unclear(answer, `HTTP ${status} with an answer that tells of success`) : said;
  }
  const { code } = said;
  const message = shorten(said.message);
  const { kind } = meaningOf(code);
  if (kind === 'expired') return { status: 'expired', why: `code ${code}` };
  if (kind === 'rate-limited') return { status: 'rate-limited', retryAfterMs: answer.retryAfterMs };
  return { status: 'refused', code, message, firm: status < 500 && kind !== 'fault' };
}

function unclear(answer: RawAnswer, why: string): Judgement {
  return { status: 'unclear', why, httpStatus: answer.status };
}

function describeBody(body: string): string {
  if (body.trim() === '') return 'an empty body';
  if (/^\s*</.test(body)) return 'an HTML page';
  return `something that is not the platform's JSON ("${shorten(body)}")`;
}

/** One line that fits into a message. */
export function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
}
