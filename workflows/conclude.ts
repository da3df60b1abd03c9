import { isCancellation } from '@temporalio/workflow';

import { headTag } from '../domain/ids.ts';
import { noteOfIdea, type NoteFacts, type NoteTask } from '../domain/note.ts';
import type { Outcome } from '../domain/phase.ts';
import { github, merging, notes } from './activities.ts';
import { charge, enterPhase, gpuHoursOf, jobIdsOf, type Experiment } from './experiment-state.ts';
import { namedFailure, type NamedFailure } from './failures.ts';
import { hearLast } from './hear.ts';
import { implementationOf, noteOf, pullRequestOf } from './plan-and-code.ts';
import { comment } from './report.ts';

/**
 * Squash-merges exactly the head that was shown. Returns false when that cannot be done (the head moved, a conflict, a
 * protection, GitHub is away): the decision is void then, with the reason and what to do shown, and the PI decides anew. A
 * merge that was done although its answer was lost is found by the next one.
 */
export async function merge(experiment: Experiment): Promise<boolean> {
  const note = noteOf(experiment);
  const { number } = pullRequestOf(experiment);
  enterPhase(experiment, 'merging', 'the squash merge');
  try {
    const { mergeSha } = await merging.mergePullRequest.executeWithOptions(
      { summary: 'squash-merges what was shown' },
      [
        {
          repository: note.repository,
          number,
          headSha: experiment.evidence?.headSha ?? implementationOf(experiment).headSha,
          title: `${note.title.replaceAll(/\s+/g, ' ').trim()} (#${number})`,
          message: mergeMessage(experiment),
          keepTag: experiment.input.policy.keepHeadTag === true ? headTag(experiment.input.id) : null,
        },
      ],
    );
    experiment.mergeSha = mergeSha;
    experiment.warnings = [];
    return true;
  } catch (error) {
    if (isCancellation(error)) throw error;
    refuseMerge(experiment, namedFailure(error));
    return false;
  }
}

function refuseMerge(experiment: Experiment, { type, message }: NamedFailure): void {
  const at = new Date(Date.now()).toISOString();
  const by = experiment.decision?.by ?? '';
  const told = type === 'HeadMoved' || type === 'NotMergeable' || type === 'BaseMoved';
  const why = told ? message : `${message}; once that is mended, say merge again`;
  experiment.refused.push({ kind: 'merge', by, at, why });
  if (type === 'BaseMoved') experiment.baseMoved = true;
  experiment.decision = null;
}

/** What the commit on the base branch says: the finding, and by trailers where it comes from. */
function mergeMessage(experiment: Experiment): string {
  const { input, evidence, decision, environment } = experiment;
  const jobs = evidence?.jobs ?? [];
  const trailers = [
    trailer('Experiment', input.id),
    trailer('Head', evidence?.headSha ?? ''),
    trailer('Environment', environment?.digest ?? ''),
    ...jobs.map(({ jobId }) => trailer('Job', jobId)),
    ...jobs.map(({ runUrl }) => trailer('Run', runUrl)),
    trailer('Pull-Request', pullRequestOf(experiment).url),
    trailer('Decided-By', decision?.by ?? ''),
  ];
  return [evidence?.verdict.sentence ?? '', '', ...trailers.filter((line) => line !== '')].join('\n').trim();
}

function trailer(key: string, value: string): string {
  return value === '' ? '' : `Hephaestus-${key}: ${value.replaceAll(/\s+/g, ' ')}`;
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
  enterPhase(experiment, 'recording', 'the permanent note');
  experiment.writtenNote = await notes.writeNote.executeWithOptions(
    { summary: `writes the note: ${outcome}` },
    [factsOf(experiment, outcome)],
  );
  charge(experiment, experiment.writtenNote);
  enterPhase(experiment, outcome, '');
  await hearLast(experiment);
  await comment(experiment);
}

function factsOf(experiment: Experiment, outcome: Outcome): NoteFacts {
  const { evidence, implementation, environment, pullRequest, failure } = experiment;
  return {
    experimentId: experiment.input.id,
    startedAt: new Date(experiment.startedAt).toISOString(),
    outcome,
    task: taskOf(experiment),
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

/** What ended before its idea was a task note is told of by the idea. */
function taskOf({ note, input: { source } }: Experiment): NoteTask {
  if (note !== null) return note;
  return source.kind === 'idea' ? noteOfIdea(source) : source.note;
}
