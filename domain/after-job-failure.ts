import type { FailureType } from './failure.ts';

/**
 * What follows when a job ended badly. `again`: a new attempt of that seed, by itself, while the budget of the task note
 * has attempts left. `ask`: only a person can mend the cause, so the experiment waits for their word. `end`: the same
 * again would end the same.
 */
export type AfterJobFailure =
  | { readonly then: 'again'; readonly most: number; readonly why: string }
  | { readonly then: 'ask'; readonly why: string }
  | { readonly then: 'end'; readonly why: string };

/** A cluster that takes a job off its nodes this often has no place for it. */
const mostPreemptions = 10;
/** Twice is bad luck; a third time is something in the job, out of memory for example. */
const mostLosses = 2;

/** Every failure type with which a job's workflow can end; whatever is not here ends the attempt. */
export const afterJobFailures = {
  JobPreempted: { then: 'again', most: mostPreemptions, why: 'the platform took the job off its nodes' },
  JobLost: {
    then: 'again',
    most: mostLosses,
    why: 'a node or a container was lost, which is nobody’s fault',
  },
  JobNotStarted: { then: 'again', most: mostLosses, why: 'nothing was run, so nothing is run twice' },
  SubmissionUnknown: {
    then: 'again',
    most: mostLosses,
    why: 'it is settled that no job of the attempt will train',
  },
  JobStopped: { then: 'ask', why: 'somebody stopped the job, and will have had a reason' },
  JobQueueOut: { then: 'ask', why: 'the same job would wait in the same queue' },
  JobDisplaced: { then: 'ask', why: 'another job holds the attempt, and may be training' },
  QizhiQuotaRefused: {
    then: 'ask',
    why: 'the quota has to be freed first: asking again and again is refused again and again',
  },
  JobFailed: { then: 'end', why: 'the command ended with an error of its own' },
  JobRefused: { then: 'end', why: 'the environment does not work there' },
  JobTimedOut: { then: 'end', why: 'the same time limit would pass again' },
  JobNeverLogged: { then: 'end', why: 'the script does not log to W&B as it must' },
  BudgetExceeded: { then: 'end', why: 'the budget of the task note is used up' },
} as const satisfies Partial<Record<FailureType, AfterJobFailure>>;

/** `already`: how many jobs of this seed have failed in this way before, in attempts that Hephaestus made by itself. */
export function afterJobFailure(type: string, already: number): AfterJobFailure {
  const row = Object.hasOwn(afterJobFailures, type)
    ? afterJobFailures[type as keyof typeof afterJobFailures]
    : ({ then: 'end', why: 'the cause has to be mended first' } as const);
  if (row.then !== 'again' || already < row.most) return row;
  return { then: 'end', why: `it happened ${already + 1} times` };
}
