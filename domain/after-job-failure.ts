import type { FailureType } from './failure.ts';

/**
 * What follows when a job ended badly. `again`: a new attempt of that seed, by itself, while the budget of the task note
 * has attempts left. `ask`: only a person can mend the cause, so the experiment waits for their word. `end`: the same
 * again would end the same.
 */
export type AfterJobFailure =
  | { readonly next: 'again'; readonly most: number; readonly why: string }
  | { readonly next: 'ask'; readonly why: string }
  | { readonly next: 'end'; readonly why: string };

/** A cluster that takes a job off its nodes this often has no place for it. */
const mostPreemptions = 10;
/** Twice is bad luck; a third time is something in the job, out of memory for example. */
const mostLosses = 2;

/** Every failure type with which a job's workflow can end; whatever is not here ends the attempt. */
export const afterJobFailures = {
  JobPreempted: { next: 'again', most: mostPreemptions, why: 'the platform took the job off its nodes' },
  JobLost: {
    next: 'again',
    most: mostLosses,
    why: 'a node or a container was lost, which is nobody’s fault',
  },
  JobNotStarted: { next: 'again', most: mostLosses, why: 'nothing was run, so nothing is run twice' },
  SubmissionUnknown: {
    next: 'again',
    most: mostLosses,
    why: 'it is settled that no job of the attempt will train',
  },
  JobStopped: { next: 'ask', why: 'whoever stopped the job will have had a reason' },
  JobQueueOut: { next: 'ask', why: 'the same job would wait in the same queue' },
  JobDisplaced: { next: 'ask', why: 'another job holds the attempt, and may be training' },
  QizhiQuotaRefused: {
    next: 'ask',
    why: 'the quota has to be freed first: asking again and again is refused again and again',
  },
  JobFailed: { next: 'end', why: 'the command ended with an error of its own' },
  JobRefused: { next: 'end', why: 'the environment does not work there' },
  JobTimedOut: { next: 'end', why: 'the same time limit would pass again' },
  JobNeverLogged: { next: 'end', why: 'the script does not log to W&B as it must' },
  BudgetExceeded: { next: 'end', why: 'the budget of the task note is used up' },
} as const satisfies Partial<Record<FailureType, AfterJobFailure>>;

/** `already`: how many jobs of this seed have failed in this way before, in attempts that Hephaestus made by itself. */
export function afterJobFailure(type: string, already: number): AfterJobFailure {
  const row = Object.hasOwn(afterJobFailures, type)
    ? afterJobFailures[type as keyof typeof afterJobFailures]
    : ({ next: 'end', why: 'the cause has to be mended first' } as const);
  if (row.next !== 'again' || already < row.most) return row;
  return { next: 'end', why: `it happened ${already + 1} times` };
}
