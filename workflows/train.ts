import { afterJobFailure } from '../domain/after-job-failure.ts';
import type { Decision } from '../domain/decision.ts';
import { awaitDecision } from './await-decision.ts';
import { runAttempt, type FailedSeed } from './attempt.ts';
import { attemptsLeftOf, enterPhase, gpuHoursLeftOf, type Experiment } from './experiment-state.ts';
import { withMore, type NamedFailure } from './failures.ts';
import { comment } from './report.ts';

/**
 * Trains the present head on the seeds: attempt after attempt for those whose job failed in a way that is nobody's fault,
 * while the budget has attempts left. Returns null when there is something to report. Where only a person can help, their
 * decision is waited for and returned. Throws the failure of the last attempt when nothing trained and nothing can.
 */
export async function train(experiment: Experiment, seeds: readonly number[]): Promise<Decision | null> {
  const history: FailedSeed[] = [];
  let open = seeds;
  for (;;) {
    const failed = await runAttempt(experiment, open);
    const judged = failed.map((each) => ({ ...each, after: afterFailure(each, history) }));
    history.push(...failed);
    const again = judged.filter(({ after }) => after.next === 'again').map(({ seed }) => seed);
    const mayTry = attemptsLeftOf(experiment) > 0 && gpuHoursLeftOf(experiment) > 0;
    if (again.length > 0 && mayTry) {
      open = again;
      continue;
    }
    if (experiment.finished.length > 0) return null;
    const asking = judged.filter(({ after }) => after.next === 'ask' || after.next === 'again');
    const [first] = asking.length > 0 ? asking : judged;
    if (first === undefined) return null;
    if (first.after.next !== 'ask') throw lastWord(first.failure, first.after.why, again.length > 0);
    return askWhatNow(experiment, judged, first.failure, first.after.why);
  }
}

function afterFailure({ seed, failure }: FailedSeed, history: readonly FailedSeed[]) {
  const already = history.filter((each) => each.seed === seed && each.failure.type === failure.type).length;
  return afterJobFailure(failure.type, already);
}

/** The failure with which the experiment ends, with why it was not tried once more. */
function lastWord(failure: NamedFailure, why: string, wanted: boolean): Error {
  const more = wanted ? 'The task note allows no further attempt (budget).' : `Not tried again: ${why}.`;
  return withMore(failure, more);
}

/** Waits for the PI's word on jobs that ended without any evidence; `stop` ends it like everywhere. */
async function askWhatNow(
  experiment: Experiment,
  failed: readonly FailedSeed[],
  { type, message }: NamedFailure,
  why: string,
): Promise<Decision> {
  const reason = (message.split('\n', 1)[0] ?? '').replace(/\.$/, '');
  enterPhase(
    experiment,
    'submitting',
    `your word (rerun, revise, reject or stop): ${type}: ${reason} (${why})`,
  );
  experiment.stalled = true;
  await comment(experiment);
  const decision = await awaitDecision(experiment);
  experiment.stalled = false;
  if (decision.kind === 'revise') experiment.decision = null;
  if (decision.kind !== 'rerun') return decision;
  return { ...decision, seeds: decision.seeds ?? failed.map(({ seed }) => seed) };
}
