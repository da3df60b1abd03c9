import type { JobExit, JobObservation, JobRecords } from './job.ts';
import { jobTable, type Cell, type PlatformWord, type RecordWord } from './job-table.ts';

export type JobDecision = Cell;

/** What was asked of the platform, by which an end is judged. */
export interface JobLimits {
  /** Wall-clock limit of the job, ms. */
  readonly maxRunningMs: number;
  /** Whether the platform starts the job again by itself after a fault. */
  readonly mayRestart: boolean;
}

/** Codes of the start script itself: the disk cannot be used, the environment does not work. */
const ownCodes: ReadonlySet<number> = new Set([74, 78]);
/** The platform counts from its own start of the container, the limit is not kept to the second. */
const nearLimit = 0.98;

/** Joins the two witnesses of a job by `jobTable`: what the platform says, and what the job itself wrote on the disk. */
export function decideJob(
  observation: JobObservation | null,
  records: JobRecords,
  limits: JobLimits,
): JobDecision {
  const platform = platformWord(observation, records, limits);
  const own = recordWord(records, observation);
  const cell =
    limits.mayRestart && own === 'failed' && goesOn.has(platform) ? startedAgain : jobTable[platform][own];
  return { ...cell, sentence: fill(cell.sentence, observation, records.exit) };
}

const startedAgain: Cell = {
  status: 'wait',
  phase: 'training',
  sentence: 'the command ended with code {code}; the platform may start the job again ({status})',
};

const goesOn: ReadonlySet<PlatformWord> = new Set([
  'unasked',
  'pending',
  'queued',
  'running',
  'restarting',
  'unknown',
]);

function platformWord(
  observation: JobObservation | null,
  { exit }: JobRecords,
  { maxRunningMs }: JobLimits,
): PlatformWord {
  if (observation === null) return 'unasked';
  const { state } = observation;
  if (state !== 'failed' && state !== 'stopped') return state;
  if (observation.evicted) return 'evicted';
  const ran = Math.max(observation.runningMs, exit === null ? 0 : exit.endedAt - exit.startedAt);
  return ran >= maxRunningMs * nearLimit ? 'over-time' : state;
}

function recordWord(
  { claim, exit, silent, duplicates }: JobRecords,
  observation: JobObservation | null,
): RecordWord {
  if (exit !== null) {
    if (exit.code === 0) return 'done';
    if (exit.signal === 'TERM' && exit.reason !== null) return 'told';
    return ownCodes.has(exit.code) && exit.reason !== null ? 'refused' : 'failed';
  }
  if (claim === null) return 'nothing';
  if (observation !== null && duplicates.some(({ jobId }) => jobId === observation.jobId)) return 'displaced';
  return silent ? 'silent' : 'alive';
}

function fill(sentence: string, observation: JobObservation | null, exit: JobExit | null): string {
  const reason = observation?.reason ?? '';
  return sentence
    .replaceAll('{status}', observation?.rawStatus ?? '')
    .replaceAll('{reason}', reason === '' ? '' : ` (${reason})`)
    .replaceAll('{code}', String(exit?.code ?? ''))
    .replaceAll('{ownReason}', exit?.reason ?? '');
}
