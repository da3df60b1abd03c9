import type { PullRequestSnapshot } from './pull-request.ts';

/** What the evidence is about. */
export interface ShownChange {
  readonly headSha: string;
  readonly branch: string;
  readonly taskNotePath: string;
  /** git's id of the task note with which the experiment began; null when it is not known. */
  readonly taskNoteBlob: string | null;
}

/**
 * What happened to the pull request beside the experiment's own way, while its jobs trained or its evidence waited: each
 * with what a person can do about it. Empty when it stands as it was shown.
 */
export function pullRequestWarnings(snapshot: PullRequestSnapshot, shown: ShownChange): string[] {
  const { state, headSha, taskNoteBlob } = snapshot;
  const same = headSha === shown.headSha;
  if (state === 'merged') {
    return same
      ? [
          'The pull request was merged by hand at the commit that is shown here: say merge, and the experiment ends as merged.',
        ]
      : [
          `The pull request was merged by hand at ${short(headSha)}; what is shown here is about ${short(shown.headSha)}: say reject or stop, the note will tell of what was shown.`,
        ];
  }
  const noteChanged =
    taskNoteBlob !== undefined && shown.taskNoteBlob !== null && taskNoteBlob !== shown.taskNoteBlob;
  return [
    ...(state === 'closed'
      ? ['The pull request was closed by hand: reopen it to merge, or say reject.']
      : []),
    ...(same
      ? []
      : [
          `The branch was moved to ${short(headSha)}; what is shown here is about ${short(shown.headSha)}, and only that can be merged: put it back (git push --force origin ${shown.headSha}:${shown.branch}), or say reject.`,
        ]),
    ...(noteChanged
      ? [
          `The task note ${shown.taskNotePath} in the pull request is not the one that was tried: put it back, or say reject and start again with the new one.`,
        ]
      : []),
  ];
}

function short(sha: string): string {
  return sha.slice(0, 7);
}
