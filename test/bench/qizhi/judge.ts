import type { ExperimentStatus } from '../../../domain/experiment.ts';
import { attemptsAllowed, type ExperimentPlan } from './experiment-plan.ts';
import { endedStatuses } from '../../../infra/lab/qizhi/job.ts';
import type { AttemptTruth } from './truth.ts';

/** How an experiment ended by its own account. */
export interface ExperimentEnd {
  readonly plan: ExperimentPlan;
  /** Null where it cannot be asked. */
  readonly status: ExperimentStatus | null;
  /** What it waits for, when it did not end in time, and why it cannot be asked. */
  readonly stuck: readonly string[];
  /** From its start to its end. */
  readonly seconds: number;
}

/**
 * Compares what an experiment says of itself with what was drawn for it and what really happened. Returns what is wrong,
 * as sentences: empty when every attempt trained at most once and the outcome is the right one.
 */
export function judgeExperiment(
  { plan, status, stuck }: ExperimentEnd,
  truths: readonly AttemptTruth[],
): string[] {
  const about = (problem: string) => `${plan.id}: ${problem}`;
  if (status === null || stuck.length > 0)
    return stuck.map((line) => about(`has not ended well, and is ${status?.phase ?? 'not known'}; ${line}`));
  return [...truths.flatMap(judgeAttempt).map(about), ...judgeOutcome(plan, status, truths).map(about)];
}

function judgeAttempt({ attempt, seed, jobs, begun }: AttemptTruth): string[] {
  const where = `attempt ${attempt}, seed ${seed}`;
  const trainers = [...new Set(begun)];
  // A job that the platform starts again under its own id goes on with the same training.
  const tooOften = jobs.filter(({ id, starts }) => begun.filter((jobId) => jobId === id).length > starts);
  const left = jobs.filter(({ status }) => !endedStatuses.has(status));
  return [
    ...(trainers.length > 1
      ? [`${where} was trained by ${trainers.length} jobs: ${trainers.join(', ')}`]
      : []),
    ...tooOften.map(({ id, starts }) => `${where} was begun more often by ${id} than its ${starts} starts`),
    ...left.map(({ id, status }) => `${where} left ${id} behind, which is ${status}`),
  ];
}

/** Failures with which an experiment may end although nothing trained, each with what must then be true. */
const endsUntrained = new Set([
  'SubmissionUnknown',
  'JobPreempted',
  'JobLost',
  'JobNotStarted',
  'JobQueueOut',
  'QizhiInvalid',
]);

function judgeOutcome(
  { exitCode, word }: ExperimentPlan,
  { phase, failure, evidence, attempts }: ExperimentStatus,
  truths: readonly AttemptTruth[],
): string[] {
  const why = failure === null ? '' : ` (${failure.type}: ${failure.message.split('\n', 1)[0] ?? ''})`;
  const expected = (what: string) => [`ended as ${phase}${why}, expected ${what}`];
  const finished = truths.flatMap(({ done }) => done);
  if (finished.length > 0 && exitCode === 0) {
    const outcome = word === 'reject' ? 'rejected' : 'merged';
    if (phase !== outcome) return expected(`${outcome}, because ${finished.join(', ')} trained to its end`);
    const shown = evidence?.jobs.map(({ jobId }) => jobId) ?? [];
    return shown.some((jobId) => finished.includes(jobId))
      ? []
      : [`shows the jobs ${shown.join(', ')}, but ${finished.join(', ')} trained`];
  }
  if (finished.length > 0) {
    return failure?.type === 'JobFailed'
      ? []
      : expected('failed (JobFailed), because its command ended with 1');
  }
  if (word === 'stop' && phase === 'stopped') return [];
  // Nothing trained to its end, which is right only when every attempt was spent on something that is nobody's fault.
  const spent = attempts.length >= attemptsAllowed || attempts.length > mostOfOneKind;
  if (phase === 'failed' && failure?.type === 'QizhiInvalid') return [];
  // Without evidence and without another attempt the PI of the bench gives up.
  if (phase === 'rejected' && spent) return [];
  if (phase === 'failed' && endsUntrained.has(failure?.type ?? '') && spent) return [];
  return expected('a training that comes to its end, since attempts were left');
}

/** By the policy, the same bad luck is borne twice. */
const mostOfOneKind = 2;
