import { setTimeout as sleep } from 'node:timers/promises';

import { Failure } from '../../infra/failure.ts';
import type { GithubClient, PullRequest } from '../../infra/github/github-client.ts';
import type { MergeInput } from './interface.ts';

/** GitHub computes in the background whether a merge is possible, and after the merge what the truth is. ms. */
const pauses = [250, 500, 1000, 2000, 4000];
const tries = 3;

/**
 * Squash-merges exactly the head that was shown, reads back that it is so, and deletes the branch. A pull request that is
 * merged already at this head is done. Throws `HeadMoved` and `NotMergeable` with the reason.
 */
export async function mergePullRequest(
  github: GithubClient,
  input: MergeInput,
): Promise<{ readonly mergeSha: string }> {
  const { repository, number } = input;
  for (let attempt = 1; ; attempt += 1) {
    const pullRequest = await readUntil(github, input, settled);
    assertHead(input, pullRequest);
    if (pullRequest.state === 'merged') return finish(github, input);
    assertMergeable(input, pullRequest);
    try {
      await github.squashMerge(repository, number, input);
      return await finish(github, input);
    } catch (error) {
      // 405 has many reasons. One passes by itself: the base moved in this moment.
      const refused = error instanceof Failure && error.type === 'NotMergeable';
      if (!refused || attempt === tries || !(await stillMergeable(github, input))) throw error;
    }
  }
}

function settled({ state, mergeable }: PullRequest): boolean {
  return state !== 'open' || mergeable !== null;
}

function assertHead(
  { repository, number, headSha }: MergeInput,
  { headSha: head, state }: PullRequest,
): void {
  if (head === headSha) return;
  const what = `${repository}#${number}`;
  throw new Failure(
    'HeadMoved',
    state === 'merged'
      ? `${what} was merged by somebody at ${head}, and the decision was about ${headSha}`
      : `the head of ${what} is ${head}, and the decision was about ${headSha}: look at the new commit and decide again`,
  );
}

function assertMergeable({ repository, number }: MergeInput, pullRequest: PullRequest): void {
  const what = `${repository}#${number}`;
  if (pullRequest.state === 'closed') {
    throw new Failure('NotMergeable', `${what} was closed without a merge: reopen it, then decide again`);
  }
  if (pullRequest.mergeable === false) {
    throw new Failure(
      'NotMergeable',
      `${what} conflicts with ${pullRequest.base} (${pullRequest.mergeableState}): bring the branch up to date, for example by a revise, then decide again`,
    );
  }
}

async function stillMergeable(github: GithubClient, input: MergeInput): Promise<boolean> {
  const { state, mergeableState } = await readUntil(github, input, settled);
  return state === 'merged' || ['clean', 'unstable', 'has_hooks'].includes(mergeableState);
}

/** Only what is read back counts; then the branch is of no use any more. */
async function finish(github: GithubClient, input: MergeInput): Promise<{ readonly mergeSha: string }> {
  const { repository, number } = input;
  const merged = await readUntil(github, input, ({ state }) => state === 'merged');
  if (merged.state !== 'merged' || merged.mergeCommitSha === null) {
    throw new Failure(
      'GithubUnavailable',
      `GitHub said that ${repository}#${number} is merged and does not show it yet; it will be looked at again`,
    );
  }
  if (merged.headRepository?.toLowerCase() === repository.toLowerCase()) {
    await github.deleteBranch(repository, merged.headBranch);
  }
  return { mergeSha: merged.mergeCommitSha };
}

/** Reads until `enough`, a few times; then gives what there is. */
async function readUntil(
  github: GithubClient,
  { repository, number }: MergeInput,
  enough: (pullRequest: PullRequest) => boolean,
): Promise<PullRequest> {
  let pullRequest = await github.getPullRequest(repository, number);
  for (const pause of pauses) {
    if (enough(pullRequest)) break;
    await sleep(pause);
    pullRequest = await github.getPullRequest(repository, number);
  }
  return pullRequest;
}
