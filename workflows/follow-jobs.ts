import { condition } from '@temporalio/workflow';

import type { Phase } from '../domain/phase.ts';
import { enterPhase, show, type Attempt, type Experiment } from './experiment-state.ts';
import { comment } from './report.ts';

/** Shows how far the slowest job is (queued, training, syncing), and brings what is asked of people before them. */
export async function followJobs(experiment: Experiment, attempt: Attempt): Promise<void> {
  const order: readonly Phase[] = ['submitting', 'queued', 'training', 'syncing'];
  let at = 0;
  let asked = '';
  for (;;) {
    await condition(() => order.indexOf(phaseOf(attempt)) > at || questionOf(attempt) !== asked);
    at = Math.max(at, order.indexOf(phaseOf(attempt)));
    const phase = order[at] ?? 'submitting';
    const question = questionOf(attempt);
    enterPhase(experiment, phase, question === '' ? waitingFor(phase) : `your answer about ${question}`);
    if (question !== asked) {
      asked = question;
      show(experiment);
      await comment(experiment);
    }
  }
}

/** The seeds of whose submissions something is asked; the question itself stands where people look for what is asked. */
function questionOf({ jobs }: Attempt): string {
  const seeds = jobs.flatMap(({ seed, question }) => (question === null ? [] : seed));
  return seeds.length === 0 ? '' : `the submission of seed ${seeds.join(' and ')}`;
}

function phaseOf({ jobs }: Attempt): Phase {
  const open = jobs.filter((job) => job.state !== 'synced' && job.state !== 'failed');
  if (open.every((job) => job.state === 'syncing')) return 'syncing';
  if (jobs.some((job) => job.state === 'submitting' || job.state === 'unknown-submission'))
    return 'submitting';
  if (open.some((job) => job.state === 'running' || job.state === 'syncing')) return 'training';
  return 'queued';
}

function waitingFor(phase: Phase): string {
  if (phase === 'syncing') return 'W&B to acknowledge the runs';
  if (phase === 'submitting') return 'the platform to take the jobs';
  return phase === 'training' ? 'the training to end' : 'the platform to start the jobs';
}
