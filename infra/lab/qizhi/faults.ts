import { z } from 'zod';

/** A fault that the stand-in makes on request, for the next `times` requests of one kind. */
export const Fault = z.strictObject({
  kind: z.enum([
    /** Does what was asked, then closes the connection without an answer. */
    'commit-then-drop',
    /** Does what was asked, then answers with a server fault. */
    'commit-then-500',
    /** Does what was asked, then answers with success but without the job's id. */
    'commit-without-job-id',
    /** Closes the connection without doing anything. */
    'drop',
    /** Refuses by `code` and `message`. */
    'reject',
    /** The gateway's page; with the header when `retryAfterSeconds` is given. */
    'too-many',
    'login-redirect',
    'html',
    'bad-gateway',
    'empty',
    /** The token is no longer good, in the way of `mode`. */
    'token-expired',
    /** Answers `delayMs` later. */
    'delay',
  ]),
  on: z.enum(['token', 'create', 'detail', 'stop']),
  times: z.int().min(1).default(1),
  code: z.int().default(100_002),
  message: z.string().default('refused by the lab'),
  httpStatus: z.int().default(200),
  retryAfterSeconds: z.number().optional(),
  mode: z.enum(['code', '401', '302']).default('code'),
  delayMs: z.int().default(0),
});
export type Fault = z.infer<typeof Fault>;
export type Question = Fault['on'];

export interface Faults {
  add(fault: Fault): void;
  clear(): void;
  list(): readonly Fault[];
  /** The fault that the next request of this kind meets. */
  take(on: Question): Fault | undefined;
}

export function createFaults(): Faults {
  let faults: Fault[] = [];
  return {
    add: (fault) => {
      faults.push({ ...fault });
    },
    clear: () => {
      faults = [];
    },
    list: () => faults,
    take(on) {
      const fault = faults.find((each) => each.on === on);
      if (fault === undefined) return undefined;
      fault.times -= 1;
      faults = faults.filter((each) => each.times > 0);
      return fault;
    },
  };
}

/** An answer that is ready to be sent. */
export interface Answer {
  readonly status: number;
  readonly type: 'application/json' | 'text/html' | 'text/plain';
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function json(code: number, message: string, data: unknown, status = 200): Answer {
  return { status, type: 'application/json', body: JSON.stringify({ code, message, data }) };
}

function page(status: number, title: string, headers?: Readonly<Record<string, string>>): Answer {
  const body = `<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`;
  return { status, type: 'text/html', body, ...(headers && { headers }) };
}

/** What a fault answers before anything is done; undefined when it lets the request through. */
export function answerBefore(fault: Fault): Answer | undefined {
  switch (fault.kind) {
    case 'reject':
      return json(fault.code, fault.message, null, fault.httpStatus);
    case 'too-many': {
      const seconds = fault.retryAfterSeconds;
      return page(
        429,
        '429 Too Many Requests',
        seconds === undefined ? {} : { 'retry-after': String(seconds) },
      );
    }
    case 'login-redirect':
      return expired('302');
    case 'html':
      return page(200, 'Sign in');
    case 'bad-gateway':
      return page(502, '502 Bad Gateway');
    case 'empty':
      return { status: 200, type: 'application/json', body: '' };
    case 'token-expired':
      return expired(fault.mode);
    case 'commit-then-drop':
    case 'commit-then-500':
    case 'commit-without-job-id':
    case 'drop':
    case 'delay':
      return undefined;
  }
}

/** The three shapes in which the platform has been seen to say that a token is no longer good. */
export function expired(mode: Fault['mode']): Answer {
  switch (mode) {
    case 'code':
      return json(-1, 'token is expired', null);
    case '401':
      return json(401, 'Unauthorized', null, 401);
    case '302':
      return page(302, '302 Found', { location: 'https://login.invalid/realms/lab' });
  }
}
