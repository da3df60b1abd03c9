import { z } from 'zod';

import type { SubmissionOutcome } from '../../domain/job.ts';
import { Failure } from '../failure.ts';
import type { CreateJobBody } from './job-body.ts';
import { judgeAnswer, type Judgement, type ReadEnvelope } from './judge-answer.ts';
import type { Question } from './platform-codes.ts';
import { refusal, refusedType, type Refused } from './refusal.ts';
import { NoAnswerError, type Post } from './transport.ts';
import type { Credentials, PresentCredential } from './credentials.ts';

/** One surface of the platform: where it is asked, by which credential, and how it answers. */
export interface Surface {
  /** Path and query of each question that it has. */
  readonly paths: Readonly<Partial<Record<Question, string>> & Record<'create' | 'detail' | 'stop', string>>;
  readonly readEnvelope: ReadEnvelope;
  readonly credentials: Credentials;
  readonly present: PresentCredential;
  /** Sent with every question beside the credential. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What is asked about, for messages and the log. */
export interface Subject {
  readonly name: string;
  readonly jobId?: string;
}

/** The questions of one surface, with everything judged that may come back. */
export interface Conversation {
  /** Sends `create` once; see `QizhiClient.createJob`. */
  create(body: CreateJobBody): Promise<SubmissionOutcome>;
  /** The data of an answer, for questions that change nothing or may be repeated. Throws `Failure` for everything else. */
  ask(question: Question, body: object, subject: Subject): Promise<unknown>;
}

const Created = z.object({ job_id: z.string().regex(/^[\w.-]{1,128}$/) });
const noRoute = new Set([404, 405]);
const defaultRetryMs = 10_000;

export function createConversation(post: Post, surface: Surface): Conversation {
  const pathOf = (question: Question): string => {
    const path = surface.paths[question];
    if (path === undefined) throw new Error(`this surface of the platform has no ${question}`);
    return path;
  };

  async function send(
    question: Question,
    body: object,
    credential: string,
    subject: Subject,
  ): Promise<Judgement> {
    const answer = await post({
      action: question,
      path: pathOf(question),
      body,
      headers: { ...surface.headers, ...surface.present(credential) },
      ...(subject.jobId !== undefined && { jobId: subject.jobId }),
    });
    return judgeAnswer(answer, surface.readEnvelope);
  }

  /** An ended credential is turned away before anything is done, so that one repeat is safe for every question. */
  async function judged(question: Question, body: object, subject: Subject): Promise<Judgement> {
    const credential = await surface.credentials.current();
    const first = await send(question, body, credential, subject);
    if (first.status !== 'expired') return first;
    return send(question, body, await surface.credentials.renewed(credential), subject);
  }

  return {
    async create(body) {
      try {
        return readCreated(await judged('create', body, { name: body.name }), body.name, pathOf('create'));
      } catch (error) {
        if (!(error instanceof NoAnswerError)) throw error;
        if (error.neverSent) throw unavailable(error.message, error);
        return { status: 'unknown', reason: `the answer to create was lost (${error.message})` };
      }
    },

    async ask(question, body, subject) {
      const judgement = await judged(question, body, subject).catch((error: unknown) => {
        throw error instanceof NoAnswerError ? unavailable(error.message, error) : error;
      });
      switch (judgement.status) {
        case 'data':
          return judgement.data;
        case 'refused':
          throw refusal(question, subject.name, judgement);
        case 'rate-limited':
          throw rateLimited(judgement.retryAfterMs);
        case 'expired':
          throw unavailable(`it refused a fresh credential (${judgement.why})`);
        case 'unclear':
          throw unavailable(
            noRoute.has(judgement.httpStatus)
              ? `${judgement.why}; check QIZHI_BASE_URL and QIZHI_API`
              : judgement.why,
          );
      }
    },
  };
}

function readCreated(judgement: Judgement, name: string, path: string): SubmissionOutcome {
  switch (judgement.status) {
    case 'data': {
      const created = Created.safeParse(judgement.data);
      if (created.success) return { status: 'created', jobId: created.data.job_id };
      return { status: 'unknown', reason: 'create was answered with success, but without a usable job_id' };
    }
    case 'refused':
      return readRefused(judgement, name);
    case 'rate-limited':
      throw rateLimited(judgement.retryAfterMs);
    case 'expired':
      throw unavailable(`it refused a fresh credential (${judgement.why})`);
    case 'unclear':
      if (noRoute.has(judgement.httpStatus)) throw wrongAddress(path, judgement.why);
      return { status: 'unknown', reason: `create was answered with ${judgement.why}` };
  }
}

function readRefused(refused: Refused, name: string): SubmissionOutcome {
  if (refusedType('create', refused) !== 'SubmissionUnknown') throw refusal('create', name, refused);
  const what = refused.firm ? 'with a code that does not tell' : 'with a server fault';
  return {
    status: 'unknown',
    reason: `create was answered ${what} (code ${refused.code}, "${refused.message}")`,
  };
}

function rateLimited(retryAfterMs: number | undefined): Failure {
  return new Failure(
    'QizhiRateLimited',
    'Qizhi asks for fewer requests (429). Lower QIZHI_REQUESTS_PER_SECOND if this goes on.',
    { retryAfterMs: retryAfterMs ?? defaultRetryMs },
  );
}

/** The platform cannot be asked now: whoever waits asks again. */
export function unavailable(why: string, cause?: unknown): Failure {
  return new Failure('QizhiUnavailable', `Qizhi cannot be asked: ${why}. It is tried again.`, { cause });
}

function wrongAddress(path: string, why: string): Failure {
  return new Failure(
    'QizhiInvalid',
    `Qizhi has no ${path} (${why}): nothing was created. Check QIZHI_BASE_URL and QIZHI_API.`,
  );
}
