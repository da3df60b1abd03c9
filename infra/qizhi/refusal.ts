import type { FailureType } from '../../domain/failure.ts';
import { Failure } from '../failure.ts';
import type { Judgement } from './judge-answer.ts';
import { meaningOf, type Question } from './platform-codes.ts';

export type Refused = Extract<Judgement, { status: 'refused' }>;

/** These have no code of their own in any source, and come with general ones: the words are all there is. */
const quotaWords = /配额|quota (?:exceeded|insufficient|not enough)/i;
const conflictWords = /^conflict\b|状态.*无法/i;

const advice: Partial<Record<FailureType, string>> = {
  QizhiUnauthorized:
    'Check the credential: QIZHI_USERNAME and QIZHI_PASSWORD, or what is given for QIZHI_API=v2.',
  QizhiForbidden: "Check that the account belongs to the note's project and workspace.",
  QizhiQuotaRefused: "The project's quota is used up: wait until jobs have ended, or ask for a smaller job.",
  QizhiInvalid: "Correct the task note's job section (ids, image, image_type, spec_id, priority).",
  QizhiUnavailable: 'It is asked again.',
  JobNotFound: 'The id is wrong, or the job belongs to somebody else or was deleted.',
};

const conflictRetryMs = 3000;

/** Turns the platform's refusal into the failure that says what to do. */
export function refusal(question: Question, subject: string, refused: Refused): Failure {
  const type = refusedType(question, refused);
  const { code, message } = refused;
  const text = `Qizhi refused ${question} of ${subject}: code ${code}, "${message}". ${advice[type] ?? ''}`;
  return new Failure(type, text.trim(), type === 'QizhiConflict' ? { retryAfterMs: conflictRetryMs } : {});
}

/**
 * The failure type of a refusal; `SubmissionUnknown` for a `create` that may have left a job behind. What comes as a server
 * fault is never firm, but for two kinds that say by their words that nothing was done.
 */
export function refusedType(question: Question, { code, message, firm }: Refused): FailureType {
  // To read a job that cannot be stopped yet as one that does not exist would leave it running.
  if (question === 'stop' && conflictWords.test(message)) return 'QizhiConflict';
  if (question === 'create') {
    if (quotaWords.test(message)) return 'QizhiQuotaRefused';
    return firm ? meaningOf(code).create : 'SubmissionUnknown';
  }
  if (!firm) return 'QizhiUnavailable';
  return question === 'list' || question === 'events' ? meaningOf(code).list : meaningOf(code).job;
}
