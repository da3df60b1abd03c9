import { randomUUID } from 'node:crypto';

import type { Fault } from './faults.ts';

/** An answer that is ready to be sent. */
export interface Answer {
  readonly status: number;
  readonly type: 'application/json' | 'text/html' | 'text/plain';
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Why the platform does not do what was asked. Each surface has its own codes for these. */
export interface Refusal {
  readonly kind:
    | 'body'
    | 'parameter'
    | 'unknown-job'
    | 'unknown-action'
    | 'conflict'
    | 'internal'
    | 'priority-cap'
    | 'login';
  readonly message: string;
}

export type Result = { readonly data: unknown } | { readonly refusal: Refusal };

export function refuse(kind: Refusal['kind'], message: string): Result {
  return { refusal: { kind, message } };
}

export type ExpiredMode = Fault['mode'];

/** How one surface of the platform wraps what it says. */
export interface Envelope {
  success(data: unknown): Answer;
  refusal(refusal: Refusal): Answer;
  /** The refusal that a fault of the kind `reject` asks for. */
  rejected(fault: Fault): Answer;
  serverFault(): Answer;
  /** The credential is no longer good. */
  expired(mode: ExpiredMode): Answer;
}

export function page(status: number, title: string, headers?: Readonly<Record<string, string>>): Answer {
  const body = `<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`;
  return { status, type: 'text/html', body, ...(headers && { headers }) };
}

export function text(status: number, body: string): Answer {
  return { status, type: 'text/plain', body };
}

export function loginRedirect(): Answer {
  return page(302, '302 Found', { location: 'https://login.invalid/realms/lab' });
}

function openapiAnswer(code: number, message: string, data: unknown, status = 200): Answer {
  return { status, type: 'application/json', body: JSON.stringify({ code, message, data }) };
}

const openapiCodes: Readonly<Record<Refusal['kind'], readonly [code: number, status?: number]>> = {
  body: [-100_000, 400],
  parameter: [100_002],
  'unknown-job': [100_002],
  'unknown-action': [100_004],
  conflict: [100_009],
  internal: [100_000],
  'priority-cap': [200_006],
  login: [100_001],
};

/** Of `/auth/token` and `/openapi/v1`: `{code, message, data}`. */
export const openapiEnvelope: Envelope = {
  success: (data) => openapiAnswer(0, 'success', data),
  refusal({ kind, message }) {
    const [code, status] = openapiCodes[kind];
    return openapiAnswer(code, message, null, status);
  },
  rejected: ({ code, message, httpStatus }) => openapiAnswer(code, message, null, httpStatus),
  serverFault: () => openapiAnswer(500, '内部服务错误', null, 500),
  expired(mode) {
    if (mode === '302') return loginRedirect();
    return mode === 'code'
      ? openapiAnswer(-1, 'token is expired', null)
      : openapiAnswer(401, 'Unauthorized', null, 401);
  },
};

const v2Codes: Readonly<Record<Refusal['kind'], string>> = {
  body: 'InvalidParameter',
  parameter: 'InvalidParameter',
  'unknown-job': 'AccessForbidden',
  'unknown-action': 'InvalidAction',
  conflict: 'Conflict',
  internal: 'InternalError',
  'priority-cap': 'InvalidParameter',
  login: 'AccessForbidden',
};

/** Of `/api/v2`: `{ResponseMetadata, Result}`, refusals with HTTP 200 too. */
export function v2Envelope(action: string): Envelope {
  const answer = (rest: object, status = 200): Answer => ({
    status,
    type: 'application/json',
    body: JSON.stringify({ ResponseMetadata: { RequestId: randomUUID(), Action: action }, ...rest }),
  });
  const refused = (code: string, message: string, status?: number): Answer =>
    answer(
      {
        ResponseMetadata: {
          RequestId: randomUUID(),
          Action: action,
          Error: { Code: code, Message: message },
        },
      },
      status,
    );
  return {
    success: (data) => answer({ Result: data }),
    refusal: ({ kind, message }) => refused(v2Codes[kind], message),
    rejected: ({ errorCode, message, httpStatus }) => refused(errorCode, message, httpStatus),
    serverFault: () => refused('InternalError', '内部服务错误', 500),
    // No source tells of a code inside the envelope for this one.
    expired: (mode) => (mode === '302' ? loginRedirect() : text(401, 'Unauthorized')),
  };
}
