import { z } from 'zod';

import type { JobObservation, SubmissionOutcome } from '../../domain/job.ts';
import { Failure } from '../failure.ts';
import type { QizhiSettings } from '../settings.ts';
import type { CreateJobBody } from './job-body.ts';
import { JobDetail, toObservation } from './job-detail.ts';
import { judgeAnswer, type Judgement } from './judge-answer.ts';
import { isCreateRefused, refusal, type Question } from './refusal.ts';
import { createTokenSource } from './token.ts';
import { createTransport, NoAnswerError } from './transport.ts';

/** The training platform, as far as this project needs it. */
export interface QizhiClient {
  /**
   * Sends the request once. `unknown` when the answer was lost or does not tell; a retryable failure
   * (`QizhiRateLimited`, `QizhiUnavailable`) only where nothing can have been created; other failures are refusals.
   */
  createJob(body: CreateJobBody): Promise<SubmissionOutcome>;
  /** Throws `JobNotFound`, and retryable failures while the platform cannot be asked. */
  getJob(jobId: string): Promise<JobObservation>;
  /** Asks to stop; the job ends later. Throws `QizhiConflict` while it cannot be stopped yet. */
  stopJob(jobId: string): Promise<void>;
}

export interface QizhiClientOptions {
  /** Of one request, ms. */
  readonly timeoutMs?: number;
}

const paths = {
  create: '/openapi/v1/train_job/create',
  detail: '/openapi/v1/train_job/detail',
  stop: '/openapi/v1/train_job/stop',
} as const satisfies Record<Question, string>;

const Created = z.object({ job_id: z.string().regex(/^[\w.-]{1,128}$/) });
const noRoute = new Set([404, 405]);
const defaultTimeoutMs = 30_000;
const defaultRetryMs = 10_000;

/** A client of the platform's OpenAPI (`/openapi/v1`, Bearer token). */
export function createQizhiClient(settings: QizhiSettings, options: QizhiClientOptions = {}): QizhiClient {
  const post = createTransport({
    baseUrl: settings.baseUrl.replace(/\/+$/, ''),
    proxy: settings.proxy,
    timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
  });
  const tokens = createTokenSource(post, { username: settings.username, password: settings.password });

  /** An expired token is turned away before anything is done, so that one repeat is safe for every question. */
  async function ask(question: Question, body: unknown): Promise<Judgement> {
    const token = await tokens.current();
    const first = judgeAnswer(await post(paths[question], body, token));
    if (first.status !== 'expired') return first;
    return judgeAnswer(await post(paths[question], body, await tokens.renewed(token)));
  }

  /** For questions that change nothing or may be repeated. */
  async function askAgainLater(question: 'detail' | 'stop', jobId: string): Promise<unknown> {
    const judgement = await ask(question, { job_id: jobId }).catch((error: unknown) => {
      throw error instanceof NoAnswerError ? unavailable(error.message, error) : error;
    });
    switch (judgement.status) {
      case 'data':
        return judgement.data;
      case 'refused':
        throw refusal(question, jobId, judgement);
      case 'rate-limited':
        throw rateLimited(judgement.retryAfterMs);
      case 'expired':
        throw unavailable(`it refused a fresh token (${judgement.why})`);
      case 'unclear':
        throw unavailable(judgement.why);
    }
  }

  return {
    async createJob(body) {
      try {
        return readCreated(await ask('create', body), body.name);
      } catch (error) {
        if (!(error instanceof NoAnswerError)) throw error;
        if (error.neverSent) throw unavailable(error.message, error);
        return { status: 'unknown', reason: `the answer to create was lost (${error.message})` };
      }
    },

    async getJob(jobId) {
      const parsed = JobDetail.safeParse(await askAgainLater('detail', jobId));
      if (!parsed.success) throw unavailable(`its answer about ${jobId} lacks job_id or status`);
      if (parsed.data.job_id !== jobId) {
        throw unavailable(`it was asked about ${jobId} and answered about ${parsed.data.job_id}`);
      }
      return toObservation(parsed.data, Date.now());
    },

    async stopJob(jobId) {
      await askAgainLater('stop', jobId);
    },
  };
}

function readCreated(judgement: Judgement, name: string): SubmissionOutcome {
  switch (judgement.status) {
    case 'data': {
      const created = Created.safeParse(judgement.data);
      if (created.success) return { status: 'created', jobId: created.data.job_id };
      return { status: 'unknown', reason: 'create was answered with success, but without a usable job_id' };
    }
    case 'refused':
      if (isCreateRefused(judgement)) throw refusal('create', name, judgement);
      return {
        status: 'unknown',
        reason: `create ended in a server fault (code ${judgement.code}, "${judgement.message}")`,
      };
    case 'rate-limited':
      throw rateLimited(judgement.retryAfterMs);
    case 'expired':
      throw unavailable(`it refused a fresh token (${judgement.why})`);
    case 'unclear':
      if (noRoute.has(judgement.httpStatus)) throw wrongAddress(judgement.why);
      return { status: 'unknown', reason: `create was answered with ${judgement.why}` };
  }
}

function rateLimited(retryAfterMs: number | undefined): Failure {
  return new Failure(
    'QizhiRateLimited',
    'Qizhi asks for fewer requests (429). Raise QIZHI_POLL_SECONDS if this goes on.',
    {
      retryAfterMs: retryAfterMs ?? defaultRetryMs,
    },
  );
}

function unavailable(why: string, cause?: unknown): Failure {
  return new Failure('QizhiUnavailable', `Qizhi cannot be asked: ${why}. It is tried again.`, { cause });
}

function wrongAddress(why: string): Failure {
  return new Failure(
    'QizhiInvalid',
    `Qizhi has no ${paths.create} (${why}): nothing was created. Check QIZHI_BASE_URL.`,
  );
}
