import { condition } from '@temporalio/workflow';

import type { JobState } from '../domain/job.ts';
import { platform } from './activities.ts';
import { gpuHoursOf, type Attempt, type Experiment } from './experiment-state.ts';
import { failWith } from './failures.ts';
import { msPerHour } from './job-bill.ts';
import { noteOf } from './plan-and-code.ts';

/** Shorter is not measured: the platform's own counting is coarser. */
const leastMs = 1000;
const askSeconds = 30;
const holdsGpus: ReadonlySet<JobState> = new Set(['running', 'stopping', 'unknown']);

/** Throws `BudgetExceeded` when the GPU hours of the task note are used up before anything is submitted. */
export function requireBudget(experiment: Experiment): void {
  const { budget } = noteOf(experiment);
  const used = gpuHoursOf(experiment);
  if (used >= budget.gpu_hours) {
    throw failWith(
      'BudgetExceeded',
      `${used} GPU hours are used, the task note allows ${budget.gpu_hours} (budget.gpu_hours)`,
    );
  }
}

/**
 * Stops the jobs of an attempt at the moment in which the GPU hours of the task note are used up. It sleeps until then
 * by what the running jobs use, and only where their own time limits could not end them before.
 */
export async function keepBudget(experiment: Experiment, attempt: Attempt, stop: () => void): Promise<void> {
  const { budget, job } = noteOf(experiment);
  for (;;) {
    const gpus = gpusOf(attempt);
    const leftMs = ((budget.gpu_hours - gpuHoursOf(experiment, Date.now())) / Math.max(gpus, 1)) * msPerHour;
    const matters = gpus > 0 && leftMs < job.max_hours * msPerHour;
    const changed = () => gpusOf(attempt) !== gpus;
    if (!matters) {
      await condition(changed);
      continue;
    }
    if (await condition(changed, Math.max(leastMs, Math.ceil(leftMs)))) continue;
    // While the platform cannot be asked a job may have been taken off its nodes: what is counted on is only assumed.
    await countAnew(attempt);
    if (gpuHoursOf(experiment, Date.now()) < budget.gpu_hours) continue;
    attempt.overBudget =
      `the ${budget.gpu_hours} GPU hours that the task note allows (budget.gpu_hours) are used up: ` +
      `${gpuHoursOf(experiment, Date.now())} so far`;
    stop();
    return;
  }
}

/** Asks the platform what its running jobs really used, for as long as it takes; it could stop none of them before. */
async function countAnew({ jobs, running }: Attempt): Promise<void> {
  for (const seed of running.keys()) {
    const index = jobs.findIndex((job) => job.seed === seed);
    const job = jobs[index];
    if (job === undefined || job.jobId === null) continue;
    const { observation } = await platform.awaitJobChange.executeWithOptions(
      { summary: `hours of ${job.jobId}, before it is stopped for the budget` },
      [{ jobId: job.jobId, since: null, pollSeconds: askSeconds }],
    );
    // Where it does not tell, what is counted on stands.
    if (observation.state === 'gone' || observation.runningMs === 0 || !running.has(seed)) continue;
    const gpuHours = Math.max(job.gpuHours, (observation.runningMs * observation.gpuCount) / msPerHour);
    jobs[index] = { ...(jobs[index] ?? job), gpuHours };
    if (holdsGpus.has(observation.state))
      running.set(seed, { gpus: observation.gpuCount, since: Date.now() });
    else running.delete(seed);
  }
}

/** GPUs that the jobs of the attempt hold now. */
function gpusOf({ running }: Attempt): number {
  return [...running.values()].reduce((sum, { gpus }) => sum + gpus, 0);
}
