import type { NoteFacts } from '../domain/note.ts';
import type { Outcome } from '../domain/phase.ts';
import { github, merging, notes } from './activities.ts';
import { charge, enterPhase, gpuHoursOf, jobIdsOf, type Experiment } from './experiment-state.ts';
import { isFailure, namedFailure } from './failures.ts';
import { implementationOf, noteOf, pullRequestOf } from './plan-and-code.ts';
import { comment } from './report.ts';

/**
 * Squash-merges exactly the head that was shown. Returns false when GitHub refuses (the head moved, a conflict, a
 * protection): the decision is void then, with the reason shown, and the PI decides anew.
 */
export async function merge(experiment: Experiment): Promise<boolean> {
  const note = noteOf(experiment);
  enterPhase(experiment, 'merging', 'the squash merge');
  try {
    const { mergeSha } = await merging.mergePullRequest.executeWithOptions(
      { summary: 'squash-merges what was shown' },
      [
        {
          repository: note.repository,
          number: pullRequestOf(experiment).number,
          headSha: experiment.evidence?.headSha ?? implementationOf(experiment).headSha,
          title: `${note.title} (#${pullRequestOf(experiment).number})`,
          message: mergeMessage(experiment),
        },
      ],
    );
    experiment.mergeSha = mergeSha;
    return true;
  } catch (error) {
    if (!isFailure(error, 'HeadMoved', 'NotMergeable', 'GithubForbidden', 'GithubInvalid')) throw error;
    const why = namedFailure(error).message;
    experiment.refused.push({
      kind: 'merge',
      by: experiment.decision?.by ?? '',
      at: new Date(Date.now()).toISOString(),
      why,
    });
    experiment.decision = null;
    return false;
  }
}

function mergeMessage({ input, evidence }: Experiment): string {
  const jobs = evidence?.jobs ?? [];
  return [
    evidence?.verdict.sentence ?? '',
    '',
    `Hephaestus-Experiment: ${input.id}`,
    ...jobs.map((job) => `Hephaestus-Job: ${job.jobId}`),
    ...jobs.map((job) => `Hephaestus-Run: ${job.runUrl}`),
  ].join('\n');
}

/** Closes the pull request of an experiment that will not be merged; the branch stays for whoever wants to look. */
export async function closePullRequest(experiment: Experiment): Promise<void> {
  if (experiment.pullRequest === null) return;
  await github.closePullRequest.executeWithOptions({ summary: 'closes the pull request' }, [
    { repository: noteOf(experiment).repository, number: experiment.pullRequest.number },
  ]);
}

/** The permanent note, for every outcome; then the outcome itself is shown everywhere. */
export async function record(experiment: Experiment, outcome: Outcome): Promise<void> {
  if (experiment.note !== null) {
    enterPhase(experiment, 'recording', 'the permanent note');
    experiment.writtenNote = await notes.writeNote.executeWithOptions(
      { summary: `writes the note: ${outcome}` },
      [factsOf(experiment, outcome)],
    );
    charge(experiment, experiment.writtenNote);
  }
  enterPhase(experiment, outcome, '');
  await comment(experiment);
}

function factsOf(experiment: Experiment, outcome: Outcome): NoteFacts {
  const { evidence, implementation, environment, pullRequest, failure } = experiment;
  return {
    experimentId: experiment.input.id,
    startedAt: new Date(experiment.startedAt).toISOString(),
    outcome,
    task: noteOf(experiment),
    evidence,
    decision: experiment.decision,
    pullRequestUrl: pullRequest?.url ?? null,
    mergeSha: experiment.mergeSha,
    headSha: implementation?.headSha ?? null,
    jobIds: jobIdsOf(experiment),
    runUrls: experiment.attempts.flatMap(({ jobs }) => jobs.flatMap((job) => job.runUrl ?? [])),
    environmentDigest: environment?.digest ?? null,
    gpuHours: gpuHoursOf(experiment),
    wallHours: evidence?.wallHours ?? 0,
    tokens: experiment.tokens,
    usage: experiment.usage,
    remarks: experiment.remarks,
    failure: failure === null ? null : `${failure.type}: ${failure.message}`,
  };
}
