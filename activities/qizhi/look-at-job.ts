import type { JobObservation, JobState } from '../../domain/job.ts';
import { Failure } from '../../infra/failure.ts';
import type { QizhiClient } from '../../infra/qizhi/client.ts';
import type { Explanation } from '../../infra/qizhi/job-events.ts';
import { openLookNotes, type LookNotes } from './look-notes.ts';

/** What a look showed. `missing`: the platform does not know the job, and it is too early to believe it. */
export type Look =
  | {
      readonly status: 'seen';
      readonly observation: JobObservation;
      /** Until the platform's time limit, ms; null where it is not known. */
      readonly leftMs: number | null;
      /** How many requests it took. */
      readonly requests: number;
    }
  | { readonly status: 'missing'; readonly message: string };
type Seen = Extract<Look, { status: 'seen' }>;

/** A gateway in trouble and a database that lags have both been seen to say that a job does not exist. */
const looksUntilGone = 5;
/** Events that cannot be read must not hide an end for ever. */
const looksWithoutEvents = 5;
const eventsAfterMs = 900_000;
const eventsEveryMs = 1_800_000;

const waiting = new Set<JobState>(['pending', 'queued']);
const endedBadly = new Set<JobState>(['failed', 'stopped', 'queue-out', 'not-started']);

/**
 * One look at a job. `waitedMs`: how long it has been seen without any change. A job that the platform does not know is
 * `gone` after several looks in a row. Throws whatever keeps the platform from being asked.
 */
export async function lookAtJob(qizhi: QizhiClient, jobId: string, waitedMs: number): Promise<Look> {
  const notes = openLookNotes();
  const job = await qizhi.getJob(jobId).catch((error: unknown) => {
    if (error instanceof Failure && error.type === 'JobNotFound') return error;
    throw error;
  });
  if (job instanceof Failure) return lookAtNothing(notes, jobId, job.message);
  if (notes.now.missing > 0) notes.change({ missing: 0 });
  const { leftMs, ...observation } = job;
  const seen: Seen = { status: 'seen', observation, leftMs, requests: 1 };
  // Events cost one more request, so they are read where they can tell something.
  if (endedBadly.has(job.state)) return withCause(qizhi, notes, seen);
  return waiting.has(job.state) ? withWords(qizhi, notes, seen, waitedMs) : seen;
}

function lookAtNothing(notes: LookNotes, jobId: string, message: string): Look {
  const looks = notes.now.missing + 1;
  notes.change({ missing: looks });
  if (looks < looksUntilGone) {
    return { status: 'missing', message: `${message} (look ${looks} of ${looksUntilGone})` };
  }
  return { status: 'seen', observation: goneJob(jobId, message), leftMs: null, requests: 1 };
}

/** Why a job ended badly: whether it was taken off its nodes is told by its events alone. */
async function withCause(qizhi: QizhiClient, notes: LookNotes, seen: Seen): Promise<Seen> {
  const { observation } = seen;
  let explanation: Explanation | null;
  try {
    explanation = await qizhi.explainJob(observation.jobId);
  } catch (error) {
    notes.change({ mute: notes.now.mute + 1 });
    if (notes.now.mute < looksWithoutEvents) throw error;
    return { ...seen, requests: 2 };
  }
  if (explanation === null) return seen;
  const { reason, evicted } = explanation;
  return {
    ...seen,
    requests: 2,
    observation: { ...observation, reason: reason || observation.reason, evicted },
  };
}

/** Why a job goes on waiting, in the words of the newest event, read now and then. */
async function withWords(qizhi: QizhiClient, notes: LookNotes, seen: Seen, waitedMs: number): Promise<Seen> {
  const now = Date.now();
  const isTime = waitedMs >= eventsAfterMs && now - notes.now.eventsAt >= eventsEveryMs;
  if (isTime) {
    const explanation = await qizhi.explainJob(seen.observation.jobId).catch((error: unknown) => {
      // The status is what matters; the words are looked for again at the next turn.
      if (error instanceof Failure) return null;
      throw error;
    });
    notes.change({ eventsAt: now, ...(explanation !== null && { words: explanation.reason }) });
  }
  const reason = notes.now.words || seen.observation.reason;
  return {
    ...seen,
    requests: isTime ? 2 : 1,
    observation: { ...seen.observation, reason, queuedMs: waitedMs },
  };
}

function goneJob(jobId: string, reason: string): JobObservation {
  return {
    jobId,
    state: 'gone',
    rawStatus: '',
    reason,
    runningMs: 0,
    gpuCount: 0,
    round: 0,
    reserving: false,
    evicted: false,
    queuedMs: 0,
    observedAt: Date.now(),
  };
}
