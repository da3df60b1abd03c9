import { condition, type ActivityOptions } from '@temporalio/workflow';

import type { Evidence, EvidenceJob, Results, RunResult } from '../domain/evidence.ts';
import { verdict } from '../domain/verdict.ts';
import { evidence as evidenceActivities, wandb } from './activities.ts';
import { enterPhase, repositoryOf, statusOf, type Experiment } from './experiment-state.ts';
import { tried } from './failures.ts';
import type { FinishedJob } from './job.ts';
import { implementationOf, noteOf, pullRequestOf } from './plan-and-code.ts';

/** Brings curves and numbers back into the pull request; from here on there is evidence to decide on. */
export async function report(experiment: Experiment): Promise<void> {
  const note = noteOf(experiment);
  enterPhase(experiment, 'reporting', 'the curves from W&B');
  const results = await wandb.readResults.executeWithOptions(
    { summary: `reads ${note.metric.name} back from W&B` },
    [
      {
        runs: experiment.finished.map(({ run, seed }) => ({ ...run, seed })),
        metric: note.metric,
        baseline: note.baseline,
      },
    ],
  );
  experiment.evidence = evidenceOf(experiment, results);
  experiment.pictures = [
    await evidenceActivities.uploadCurves.executeWithOptions({ summary: 'draws and uploads the curves' }, [
      {
        repository: note.repository,
        experimentId: experiment.input.id,
        title: note.title,
        metric: note.metric,
        results,
      },
    ]),
  ];
}

function evidenceOf(experiment: Experiment, { runs, baseline }: Results): Evidence {
  const { metric } = noteOf(experiment);
  const baselineValues = baseline === null ? null : finalValues(baseline.runs);
  return {
    headSha: implementationOf(experiment).headSha,
    environmentDigest: experiment.environment?.digest ?? '',
    attempt: experiment.attempts.at(-1)?.number ?? 0,
    jobs: experiment.finished.map((job) => evidenceJob(job, runs)),
    metric,
    baseline: baseline === null ? null : { name: baseline.name, values: baselineValues ?? [] },
    verdict: verdict(finalValues(runs), baselineValues, metric.goal, runs.length - finalValues(runs).length),
    gpuHours: experiment.finished.reduce((sum, job) => sum + job.gpuHours, 0),
    wallHours: Math.max(0, ...experiment.finished.map((job) => job.wallHours)),
  };
}

function evidenceJob(
  { seed, jobId, gpuHours, wallHours, run }: FinishedJob,
  runs: readonly RunResult[],
): EvidenceJob {
  const value = runs.find(({ runId }) => runId === run.runId)?.value ?? null;
  return { seed, jobId, runId: run.runId, runUrl: run.url, value, gpuHours, wallHours };
}

function finalValues(runs: readonly RunResult[]): number[] {
  return runs.flatMap(({ value }) => value ?? []);
}

/** Renews the sticky comment. Its absence is no reason to lose an experiment: the next phase writes it again. */
export async function comment(experiment: Experiment): Promise<void> {
  if (experiment.pullRequest === null) return;
  await tried('the comment', () =>
    writeComment(experiment, {
      summary: `comment: ${experiment.phase}`,
      scheduleToCloseTimeout: '10 minutes',
    }),
  );
}

/** Shows the evidence: nobody may be asked to decide on what was not shown, so this one must come through. */
export async function showEvidence(experiment: Experiment): Promise<void> {
  await writeComment(experiment, { summary: 'comment: the evidence' });
}

/** What there is to decide on now, by a name that changes with it; null while nothing is asked. */
export function askedOf({ phase, stalled, evidence, attempts, implementation }: Experiment): string | null {
  if (stalled) return `the end of attempt ${attempts.at(-1)?.number ?? 0}`;
  if (phase === 'reviewing') return `the gate of ${implementation?.headSha ?? 'nothing'}`;
  return phase === 'deciding' && evidence !== null
    ? `attempt ${evidence.attempt} at ${evidence.headSha}`
    : null;
}

/** One writer after the other: what was rendered first must not be written last. */
async function writeComment(experiment: Experiment, options: ActivityOptions): Promise<void> {
  await condition(() => !experiment.commenting);
  experiment.commenting = true;
  try {
    const about = askedOf(experiment);
    const { url, shownAt } = await evidenceActivities.updateComment.executeWithOptions(options, [
      commentInput(experiment),
    ]);
    experiment.commentUrl = url;
    // Later versions of the comment ask for the same: since when it does so is what counts.
    if (about !== null && experiment.shown?.about !== about) experiment.shown = { about, at: shownAt };
  } finally {
    experiment.commenting = false;
  }
}

function commentInput(experiment: Experiment) {
  return {
    repository: repositoryOf(experiment),
    number: pullRequestOf(experiment).number,
    status: statusOf(experiment),
    pictures: experiment.pictures,
    live: experiment.live,
  };
}
