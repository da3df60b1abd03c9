import type { FailureType } from '../../domain/failure.ts';
import { Failure } from '../failure.ts';
import type { Judgement } from './judge-answer.ts';

export type Question = 'create' | 'detail' | 'stop';
export type Refused = Extract<Judgement, { status: 'refused' }>;

const shared: Readonly<Record<string, FailureType>> = {
  '100001': 'QizhiUnauthorized',
  '100003': 'QizhiForbidden',
  AccessForbidden: 'QizhiForbidden',
  Conflict: 'QizhiConflict',
};

const ofCreate: Readonly<Record<string, FailureType>> = {
  ...shared,
  '-100000': 'QizhiInvalid',
  '100002': 'QizhiInvalid',
  '100004': 'QizhiInvalid',
  // The priority is above what the project allows.
  '200006': 'QizhiInvalid',
  // Data sets: unknown, unknown version, not allowed.
  '2000': 'QizhiInvalid',
  '2001': 'QizhiInvalid',
  '2005': 'QizhiForbidden',
};

/** The platform answers an unknown, a shortened and a foreign job id alike. */
const ofJob: Readonly<Record<string, FailureType>> = {
  ...shared,
  '-100000': 'JobNotFound',
  '100002': 'JobNotFound',
  '100004': 'JobNotFound',
  AccessForbidden: 'JobNotFound',
  ResourceNotFound: 'JobNotFound',
};

/** These have no code of their own in any source, and come with general ones: the words are all there is. */
const quotaWords = /配额|quota (?:exceeded|insufficient|not enough)/i;
const conflictWords = /^conflict\b|状态.*无法/i;

const advice: Partial<Record<FailureType, string>> = {
  QizhiUnauthorized: 'Check QIZHI_USERNAME and QIZHI_PASSWORD.',
  QizhiForbidden: "Check that the account belongs to the note's project and workspace.",
  QizhiQuotaRefused: "The project's quota is used up: wait until jobs have ended, or ask for a smaller job.",
  QizhiInvalid: "Correct the task note's job section (ids, image, image_type, spec_id, priority).",
  JobNotFound: 'The id is wrong, or the job belongs to somebody else or was deleted.',
};

const conflictRetryMs = 3000;

/** Turns the platform's refusal into the failure that says what to do. */
export function refusal(question: Question, subject: string, refused: Refused): Failure {
  const type = failureType(question, refused);
  const { code, message } = refused;
  const text = `Qizhi refused ${question} of ${subject}: code ${code}, "${message}". ${advice[type] ?? ''}`;
  return new Failure(type, text.trim(), type === 'QizhiConflict' ? { retryAfterMs: conflictRetryMs } : {});
}

/** Whether nothing was created: a refusal for want of quota says so even where it comes as a server fault. */
export function isCreateRefused(refused: Refused): boolean {
  return refused.firm || quotaWords.test(refused.message);
}

function failureType(question: Question, { code, message }: Refused): FailureType {
  // To read a job that cannot be stopped yet as one that does not exist would leave it running.
  if (question === 'stop' && conflictWords.test(message)) return 'QizhiConflict';
  if (question === 'create' && quotaWords.test(message)) return 'QizhiQuotaRefused';
  const table = question === 'create' ? ofCreate : ofJob;
  // An unknown code of a read says nothing of the job: it is asked again.
  const otherwise = question === 'create' ? 'QizhiInvalid' : 'QizhiUnavailable';
  return (Object.hasOwn(table, code) ? table[code] : undefined) ?? otherwise;
}
