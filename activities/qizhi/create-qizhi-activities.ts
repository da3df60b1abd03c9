import { activityInfo, log } from '@temporalio/activity';

import { jobName } from '../../domain/ids.ts';
import type { JobObservation } from '../../domain/job.ts';
import { pollInterval } from '../../domain/poll-interval.ts';
import { Failure } from '../../infra/failure.ts';
import type { QizhiClient } from '../../infra/qizhi/client.ts';
import { jobBody } from '../../infra/qizhi/job-body.ts';
import { isReleased } from '../../infra/qizhi/job-status.ts';
import { guardActivities } from '../boundary.ts';
import { createPatiently } from './create-patiently.ts';
import { fingerprintOf, standstillMs } from './fingerprint.ts';
import type { AwaitJobInput, QizhiActivities, SeenJob } from './interface.ts';
import { lookAtJob } from './look-at-job.ts';
import { createPacer, type Pacer } from './pacer.ts';

export interface QizhiActivitiesDependencies {
  readonly qizhi: QizhiClient;
  /** The most that this process ever sends; waiting jobs together keep to a part of it. */
  readonly requestsPerSecond: number;
  /** How long a submission that was provably not taken is offered again, ms. */
  readonly createPatienceMs?: number;
}

const nobodysJob = 'job-00000000-0000-0000-0000-000000000000';
const stopPollMs = 2000;
const missingPollMs = 30_000;
/** A person has to mend the credential; the jobs run on meanwhile. */
const mendingMs = 600_000;
/** The workflow runs this activity once and ends it after two minutes. */
const defaultPatienceMs = 75_000;
/** The rest is for what cannot wait: submissions, stops, logins, reasons. */
const shareOfWaiting = 0.4;

const untilMended = new Set<Failure['type']>(['QizhiUnauthorized', 'QizhiForbidden']);

/** The activities of the queue `qizhi`. */
export function createQizhiActivities({
  qizhi,
  requestsPerSecond,
  createPatienceMs = defaultPatienceMs,
}: QizhiActivitiesDependencies): QizhiActivities {
  const pacer = createPacer({ requestsPerSecond: requestsPerSecond * shareOfWaiting });
  return guardActivities<QizhiActivities>({
    createJob: async (input) => createPatiently(qizhi, jobBody(input), createPatienceMs),

    async findSubmittedJob({ experimentId, attempt, seed, workspaceId, pollSeconds }) {
      const name = jobName(experimentId, attempt, seed);
      if (pollSeconds === null) return qizhi.findJob({ name, workspaceId });
      const waitMs = pacer.wait(name, pollSeconds * 1000);
      const found = await patiently(qizhi.findJob({ name, workspaceId }), waitMs);
      if (found.status !== 'absent') return found;
      throw new Failure('JobUnchanged', `the platform's list does not show ${name} yet`, {
        retryAfterMs: waitMs,
      });
    },

    async awaitPlatform() {
      // Whatever it says of a job that nobody has, it answers, and it takes the credential.
      const look = await lookAtJob(qizhi, nobodysJob, 0);
      log.info('the platform can be asked again', { look: look.status });
    },

    awaitJobChange: async (input) => awaitChange(qizhi, pacer, input),

    async stopJob({ jobId }) {
      const before = await patiently(lookAtJob(qizhi, jobId, 0), stopPollMs);
      if (before.status === 'missing') {
        throw new Failure('JobUnchanged', before.message, { retryAfterMs: stopPollMs });
      }
      if (isOver(before.observation)) return before.observation;
      // A refusal because it has ended meanwhile is a conflict, after which it is looked at anew.
      if (before.observation.state !== 'stopping') await patiently(qizhi.stopJob(jobId), stopPollMs);
      throw stillThere(before.observation, stopPollMs);
    },
  });
}

async function awaitChange(
  qizhi: QizhiClient,
  pacer: Pacer,
  { jobId, since, pollSeconds }: AwaitJobInput,
): Promise<SeenJob> {
  const baseMs = pollSeconds * 1000;
  const waitedMs = Math.max(0, Date.now() - activityInfo().scheduledTimestampMs);
  const look = await patiently(lookAtJob(qizhi, jobId, waitedMs), pacer.wait(jobId, baseMs));
  if (look.status === 'missing') {
    throw new Failure('JobUnchanged', look.message, {
      retryAfterMs: pacer.wait(jobId, Math.min(baseMs, missingPollMs)),
    });
  }
  const calm = fingerprintOf(look.observation, false);
  const standstill = fingerprintOf(look.observation, true);
  // Once told, a standstill is told no more: this wait began with it.
  const observation = since === standstill ? later(look.observation, standstillMs) : look.observation;
  const fingerprint = observation.queuedMs >= standstillMs ? standstill : calm;
  if (fingerprint !== since) return { observation, fingerprint };
  const wantedMs = pollInterval({
    state: observation.state,
    sinceChangeMs: Math.max(waitedMs, observation.queuedMs),
    baseMs,
    leftMs: look.leftMs,
    random: Math.random(),
  });
  throw stillThere(observation, pacer.wait(jobId, wantedMs, look.requests));
}

function later(observation: JobObservation, ms: number): JobObservation {
  return { ...observation, queuedMs: observation.queuedMs + ms };
}

/**
 * Whoever watches a job goes on watching: a credential that is refused is mended by a person, and an outage ends. So that
 * many jobs do not come back at once, nobody asks again before `waitMs`.
 */
async function patiently<T>(question: Promise<T>, waitMs: number): Promise<T> {
  try {
    return await question;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const mending = untilMended.has(error.type);
    if (!mending && !error.retry) throw error;
    const retryAfterMs = mending ? mendingMs : Math.max(waitMs, error.retryAfterMs ?? 0);
    throw new Failure(error.type, error.message, { retry: true, retryAfterMs, cause: error.cause });
  }
}

function isOver({ state, rawStatus }: JobObservation): boolean {
  return state === 'gone' || isReleased(rawStatus);
}

/** The words go on with it: people see a waiting activity's last failure. */
function stillThere({ jobId, rawStatus, state, reason }: JobObservation, retryAfterMs: number): Failure {
  const words = reason === '' ? '' : ` (${reason})`;
  return new Failure('JobUnchanged', `${jobId} is still ${rawStatus || state}${words}`, { retryAfterMs });
}
