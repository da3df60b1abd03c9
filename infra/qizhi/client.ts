import { pino, type Logger } from 'pino';

import type { ListedSubmission, SubmissionOutcome } from '../../domain/job.ts';
import { Failure } from '../failure.ts';
import type { QizhiSettings } from '../settings.ts';
import { createConversation, type Surface } from './conversation.ts';
import { asBearer, asSessionCookie, type Credentials, type PresentCredential } from './credentials.ts';
import { readOpenapiEnvelope, readV2Envelope } from './envelopes.ts';
import { createGivenCredential } from './given-credential.ts';
import type { CreateJobBody } from './job-body.ts';
import type { PlatformJob } from './job-detail.ts';
import type { Explanation } from './job-events.ts';
import { createLimitRate } from './limit-rate.ts';
import { createLogIn } from './log-in.ts';
import { createOpenapiClient, openapiPaths } from './openapi-client.ts';
import { createTransport, type Post } from './transport.ts';
import { createV2Client, v2Paths } from './v2-client.ts';

/** The training platform, as far as this project needs it, on whichever of its surfaces. */
export interface QizhiClient {
  /**
   * Sends the request once. `unknown` when the answer was lost or does not tell; a retryable failure
   * (`QizhiRateLimited`, `QizhiUnavailable`) only where nothing can have been created; other failures are refusals.
   */
  createJob(body: CreateJobBody): Promise<SubmissionOutcome>;
  /** The newest job of exactly this name. `no-list` where the surface has no list: that says nothing about the job. */
  findJob(query: { readonly name: string; readonly workspaceId: string }): Promise<ListedSubmission>;
  /** Throws `JobNotFound`, and retryable failures while the platform cannot be asked. */
  getJob(jobId: string): Promise<PlatformJob>;
  /** What the platform's events tell beyond the status; null where there are none to be had. One more request. */
  explainJob(jobId: string): Promise<Explanation | null>;
  /** Asks to stop; the job ends later. Throws `QizhiConflict` while it cannot be stopped yet. */
  stopJob(jobId: string): Promise<void>;
}

export interface QizhiClientOptions {
  /** Of one request, ms. */
  readonly timeoutMs?: number;
  /** Told of every request: what was asked, HTTP status, ms, request ids, job id; never of a credential. */
  readonly log?: Logger;
  /** Never logs in a second time, not even when the token is refused: for a look that must not lock an account. */
  readonly oneLogin?: true;
}

const defaultTimeoutMs = 30_000;

/** The client of the surface that `settings.api` names. Every process needs one only: it keeps the rate, and the login. */
export function createQizhiClient(settings: QizhiSettings, options: QizhiClientOptions = {}): QizhiClient {
  const post = createTransport({
    baseUrl: settings.baseUrl.replace(/\/+$/, ''),
    proxy: settings.proxy,
    timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
    limitRate: createLimitRate(settings.requestsPerSecond),
    log: options.log ?? pino({ level: 'silent' }),
  });
  const credential =
    options.oneLogin === true ? once(credentialOf(settings, post)) : credentialOf(settings, post);
  switch (settings.api) {
    case 'openapi': {
      const surface: Surface = {
        paths: openapiPaths,
        readEnvelope: readOpenapiEnvelope,
        headers: {},
        ...credential,
      };
      return createOpenapiClient(createConversation(post, surface));
    }
    case 'v2': {
      // Without this header the platform's gateway sends every question to its login page.
      const headers = { 'x-inspire-client-source': settings.clientSource };
      const surface: Surface = { paths: v2Paths, readEnvelope: readV2Envelope, headers, ...credential };
      return createV2Client(createConversation(post, surface));
    }
  }
}

type PresentedCredential = { readonly credentials: Credentials; readonly present: PresentCredential };

function once({ credentials, present }: PresentedCredential): PresentedCredential {
  return { credentials: { current: () => credentials.current(), renewed: neverRenewed }, present };
}

function neverRenewed(): Promise<never> {
  const message =
    'Qizhi refused a credential that it took a moment ago. Look whether the account may use the API of QIZHI_API.';
  return Promise.reject(new Failure('QizhiUnauthorized', message));
}

function credentialOf({ credential }: QizhiSettings, post: Post): PresentedCredential {
  switch (credential.kind) {
    case 'login':
      return { credentials: createLogIn(post, credential), present: asBearer };
    case 'token':
      return {
        credentials: createGivenCredential({ ...credential, key: 'QIZHI_ACCESS_TOKEN' }),
        present: asBearer,
      };
    case 'cookie':
      return {
        credentials: createGivenCredential({ ...credential, key: 'QIZHI_SESSION_COOKIE' }),
        present: asSessionCookie,
      };
  }
}
