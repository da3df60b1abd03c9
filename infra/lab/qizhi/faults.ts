import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { z } from 'zod';

import { loginRedirect, page, type Answer, type Envelope } from './answers.ts';

/** What the platform can be asked, on whichever surface. */
export const questions = [
  'token',
  'create',
  'detail',
  'stop',
  'list',
  'events',
  'instances',
  'delete',
] as const;
export type Question = (typeof questions)[number];

/** A fault that the stand-in makes on request: for the next `times` requests of one kind, or by chance. */
export const Fault = z
  .strictObject({
    kind: z.enum([
      /** Does what was asked, then closes the connection without an answer. */
      'commit-then-drop',
      /** Does what was asked, then answers with a server fault. */
      'commit-then-500',
      /** Does what was asked, then answers with success but without the job's id. */
      'commit-without-job-id',
      /** Does what was asked, then answers with the gateway's page. */
      'commit-then-html',
      /** Does what was asked, and answers `delayMs` later. */
      'commit-then-timeout',
      /** Does what was asked; the answer's text comes bit by bit over `delayMs`. */
      'slow-body',
      /** Does what was asked; the answer is whole by its length, and half by its JSON. */
      'half-json',
      /** Closes the connection without doing anything. */
      'drop',
      /** Refuses by `code` (openapi) or `errorCode` (v2) and `message`. */
      'reject',
      /** The gateway's page; with the header when `retryAfterSeconds` is given. */
      'too-many',
      'login-redirect',
      'html',
      'bad-gateway',
      'gateway-timeout',
      'empty',
      /** The token is no longer good, in the way of `mode`. */
      'token-expired',
      /** Does nothing for `delayMs`, and then what was asked. */
      'delay',
    ]),
    on: z.enum([...questions, 'any']),
    /** How many requests meet it; 1 when it is not given, no end when `rate` is. */
    times: z.int().min(1).optional(),
    /** The chance of each request to meet it, drawn from `seed`: the same requests in the same order meet the same. */
    rate: z.number().min(0).max(1).optional(),
    seed: z.int().default(1),
    code: z.int().default(100_002),
    errorCode: z.string().default('InvalidParameter'),
    message: z.string().default('refused by the lab'),
    httpStatus: z.int().min(200).max(599).default(200),
    retryAfterSeconds: z.number().optional(),
    mode: z.enum(['code', '401', '302']).default('code'),
    /** At most ten minutes. */
    delayMs: z.int().min(0).max(600_000).default(0),
  })
  .refine((fault) => !needsDelay.has(fault.kind) || fault.delayMs > 0, {
    path: ['delayMs'],
    message: 'this kind needs delayMs, for example 2000',
  });
export type Fault = z.infer<typeof Fault>;

const needsDelay = new Set(['commit-then-timeout', 'slow-body', 'delay']);

export interface Faults {
  add(fault: Fault): void;
  clear(): void;
  /** Those that are still in force, with how often each has been met. */
  list(): readonly (Fault & { readonly met: number })[];
  /** The fault that the next request of this kind meets. */
  take(on: Question): Fault | undefined;
}

export function createFaults(): Faults {
  let faults: {
    readonly fault: Fault;
    readonly left: number;
    readonly met: number;
    readonly hits: () => boolean;
  }[] = [];
  return {
    add(fault) {
      const left = fault.times ?? (fault.rate === undefined ? 1 : Infinity);
      const generator = xoroshiro128plus(fault.seed);
      const hits = () => fault.rate === undefined || uniformFloat64(generator) < fault.rate;
      faults.push({ fault, left, met: 0, hits });
    },
    clear: () => {
      faults = [];
    },
    list: () =>
      faults.map(({ fault, left, met }) => ({ ...fault, met, ...(left !== Infinity && { times: left }) })),
    take(on) {
      const index = faults.findIndex(({ fault, hits }) => [on, 'any'].includes(fault.on) && hits());
      const found = faults[index];
      if (found === undefined) return undefined;
      const rest = { ...found, left: found.left - 1, met: found.met + 1 };
      faults = faults.toSpliced(index, 1, ...(rest.left > 0 ? [rest] : []));
      return found.fault;
    },
  };
}

/** What a fault answers before anything is done; undefined when it lets the request through. */
export function answerBefore(fault: Fault, envelope: Envelope): Answer | undefined {
  switch (fault.kind) {
    case 'reject':
      return envelope.rejected(fault);
    case 'too-many': {
      const seconds = fault.retryAfterSeconds;
      const headers = seconds === undefined ? {} : { 'retry-after': String(seconds) };
      return page(429, '429 Too Many Requests', headers);
    }
    case 'login-redirect':
      return loginRedirect();
    case 'html':
      return page(200, 'Sign in');
    case 'bad-gateway':
      return page(502, '502 Bad Gateway');
    case 'gateway-timeout':
      return page(504, '504 Gateway Time-out');
    case 'empty':
      return { status: 200, type: 'application/json', body: '' };
    case 'token-expired':
      return envelope.expired(fault.mode);
    case 'commit-then-drop':
    case 'commit-then-500':
    case 'commit-without-job-id':
    case 'commit-then-html':
    case 'commit-then-timeout':
    case 'slow-body':
    case 'half-json':
    case 'drop':
    case 'delay':
      return undefined;
  }
}

/** What a fault makes of the answer to something that was really done; `drop` closes the connection instead. */
export function spoil(answer: Answer, fault: Fault | undefined, envelope: Envelope): Answer | 'drop' {
  if (fault === undefined) return answer;
  switch (fault.kind) {
    case 'drop':
    case 'commit-then-drop':
      return 'drop';
    case 'commit-then-500':
      return envelope.serverFault();
    case 'commit-without-job-id':
      return envelope.success({ sub_code: 0, sub_msg: '' });
    case 'commit-then-html':
      return page(502, '502 Bad Gateway');
    case 'half-json':
      return { ...answer, body: answer.body.slice(0, Math.floor(answer.body.length / 2)) };
    case 'commit-then-timeout':
    case 'slow-body':
    case 'delay':
    case 'reject':
    case 'too-many':
    case 'login-redirect':
    case 'html':
    case 'bad-gateway':
    case 'gateway-timeout':
    case 'empty':
    case 'token-expired':
      return answer;
  }
}
