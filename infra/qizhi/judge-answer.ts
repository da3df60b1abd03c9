import { z } from 'zod';

import type { RawAnswer } from './transport.ts';

/** What an answer says, before it is known what was asked. */
export type Judgement =
  | { readonly status: 'data'; readonly data: unknown }
  /** The token is no longer good: nothing was done. */
  | { readonly status: 'expired'; readonly why: string }
  /** Turned away at the door: nothing was done. */
  | { readonly status: 'rate-limited'; readonly retryAfterMs: number | undefined }
  /** Something between us and the platform, or a fault inside it: what was done is not known. */
  | { readonly status: 'unclear'; readonly why: string; readonly httpStatus: number }
  /** The platform's own answer. `firm` is false when it is a server fault, which may have left something behind. */
  | { readonly status: 'refused'; readonly code: string; readonly message: string; readonly firm: boolean };

const Envelope = z.object({
  code: z.union([z.number(), z.string()]),
  message: z.string().catch(''),
  data: z.unknown(),
});

const success = '0';
const tokenExpired = '-1';
const tooMany = '429';
/** `500` is a server fault by its name; `100000` is what a panic inside the platform answers with. */
const serverFaults = new Set(['500', '100000']);

/**
 * The order matters: a gateway's 429 is an HTML page, an expired login may be a redirect, and only then is a body worth
 * reading. A refusal may come with HTTP 200, 400 or 500.
 */
export function judgeAnswer(answer: RawAnswer): Judgement {
  const { status } = answer;
  if (status === 429) return { status: 'rate-limited', retryAfterMs: answer.retryAfterMs };
  if (status === 401 || (status >= 300 && status < 400)) return { status: 'expired', why: `HTTP ${status}` };
  const envelope = parseEnvelope(answer.body);
  if (envelope === undefined) return unclear(answer, `HTTP ${status} with ${describeBody(answer.body)}`);
  const code = String(envelope.code);
  const message = shorten(envelope.message);
  if (code === tokenExpired) return { status: 'expired', why: 'code -1' };
  if (code === tooMany) return { status: 'rate-limited', retryAfterMs: answer.retryAfterMs };
  if (code !== success)
    return { status: 'refused', code, message, firm: status < 500 && !serverFaults.has(code) };
  if (status >= 400) return unclear(answer, `HTTP ${status} with code 0`);
  return { status: 'data', data: envelope.data };
}

function unclear(answer: RawAnswer, why: string): Judgement {
  return { status: 'unclear', why, httpStatus: answer.status };
}

/** The platform's envelope, undefined when the body is anything else. */
export function parseEnvelope(body: string): z.infer<typeof Envelope> | undefined {
  return Envelope.safeParse(parseJson(body)).data;
}

/** Undefined when it is not JSON: the platform's gateways answer with pages. */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function describeBody(body: string): string {
  if (body.trim() === '') return 'an empty body';
  if (/^\s*</.test(body)) return 'an HTML page';
  return `something that is not the platform's JSON ("${shorten(body)}")`;
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
}
