import type { FailureType } from '../../domain/failure.ts';

/** What is asked of the platform. */
export type Question = 'create' | 'detail' | 'stop' | 'list' | 'events';

/**
 * What a code of the platform means. `expired`: the credential is renewed once, and the question repeated. `rate-limited`:
 * turned away at the door. `fault`: something inside the platform went wrong, so what was done is not known. `refused`: the
 * platform's own answer.
 */
export interface CodeMeaning {
  readonly kind: 'expired' | 'rate-limited' | 'fault' | 'refused';
  /** `SubmissionUnknown`: a job may have been created all the same. */
  readonly create: FailureType;
  /** Of detail and stop. */
  readonly job: FailureType;
  /** Of a list of jobs or of events. */
  readonly list: FailureType;
}

const fault: CodeMeaning = {
  kind: 'fault',
  create: 'SubmissionUnknown',
  job: 'QizhiUnavailable',
  list: 'QizhiUnavailable',
};
const limited: CodeMeaning = {
  kind: 'rate-limited',
  create: 'QizhiRateLimited',
  job: 'QizhiRateLimited',
  list: 'QizhiRateLimited',
};
const expired: CodeMeaning = {
  kind: 'expired',
  create: 'QizhiUnavailable',
  job: 'QizhiUnavailable',
  list: 'QizhiUnavailable',
};

function refused(create: FailureType, job: FailureType, list: FailureType): CodeMeaning {
  return { kind: 'refused', create, job, list };
}

/**
 * Every code that the platform is known to answer with: numbers on `/openapi/v1`, words on `/api/v2`. A question about a job
 * is only ever answered by `JobNotFound` where the code means that job: what may be a fault of the request is asked again.
 */
export const platformCodes = {
  '-100000': refused('QizhiInvalid', 'QizhiUnavailable', 'QizhiInvalid'),
  '-1': expired,
  '429': limited,
  '500': fault,
  '100000': fault,
  '100001': refused('QizhiUnauthorized', 'QizhiUnauthorized', 'QizhiUnauthorized'),
  '100002': refused('QizhiInvalid', 'JobNotFound', 'QizhiInvalid'),
  '100003': refused('QizhiForbidden', 'QizhiForbidden', 'QizhiForbidden'),
  '100004': refused('QizhiInvalid', 'JobNotFound', 'QizhiInvalid'),
  '200006': refused('QizhiInvalid', 'QizhiUnavailable', 'QizhiUnavailable'),
  '2000': refused('QizhiInvalid', 'QizhiUnavailable', 'QizhiUnavailable'),
  '2001': refused('QizhiInvalid', 'QizhiUnavailable', 'QizhiUnavailable'),
  '2005': refused('QizhiForbidden', 'QizhiUnavailable', 'QizhiUnavailable'),
  InvalidAction: refused('QizhiInvalid', 'QizhiUnavailable', 'QizhiInvalid'),
  InvalidParameter: refused('QizhiInvalid', 'QizhiUnavailable', 'QizhiInvalid'),
  // The platform answers an unknown, a shortened and a foreign job id by this one.
  AccessForbidden: refused('QizhiForbidden', 'JobNotFound', 'QizhiForbidden'),
  ResourceNotFound: refused('QizhiInvalid', 'JobNotFound', 'QizhiInvalid'),
  Conflict: refused('SubmissionUnknown', 'QizhiConflict', 'QizhiUnavailable'),
  InternalError: fault,
  Throttling: limited,
  TooManyRequests: limited,
  SlowDown: limited,
  ServiceUnavailable: fault,
  RequestTimeout: fault,
} as const satisfies Readonly<Record<string, CodeMeaning>>;

/** An unknown code says neither that a job was created nor that none was. */
export const otherCode: CodeMeaning = {
  kind: 'refused',
  create: 'SubmissionUnknown',
  job: 'QizhiUnavailable',
  list: 'QizhiUnavailable',
};

export function meaningOf(code: string): CodeMeaning {
  return Object.hasOwn(platformCodes, code) ? platformCodes[code as keyof typeof platformCodes] : otherCode;
}
