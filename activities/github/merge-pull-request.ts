import { setTimeout as sleep } from 'node:timers/promises';

import { Failure } from '../../infra/failure.ts';
import type { GithubClient, PullRequest } from '../../infra/github/github-client.ts';
import { explainRefusal } from './explain-refusal.ts';
import type { MergeInput } from './interface.ts';

/** GitHub computes in the background whether a merge is possible, and after the merge what the truth is. ms. */
const pauses = [250, 500, 1000, 2000, 4000];
const tries = 3;

/**
 * Squash-merges exactly the head that was shown, reads back that it is so, and deletes the branch. A pull request that is
 * merged already at this head is done, whoever did it. Throws, each with what a person can do: `HeadMoved`; `BaseMoved`
 * when the base branch has moved on so that the change must be brought up to it; else `NotMergeable`.
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
      if (!(error instanceof Failure) || error.type !== 'NotMergeable') throw error;
      // 405 has many reasons. One passes by itself: the base moved in this moment.
      const now = await readUntil(github, input, settled);
      if (attempt < tries && stillMergeable(now)) continue;
      assertHead(input, now);
      assertMergeable(input, now);
      throw new Failure('NotMergeable', await explainRefusal(github, input, now, error), { cause: error });
    }
  }
}

function settled({ state, mergeable }: PullRequest): boolean {
  return state !== 'open' || mergeable !== null;
}

function assertHead(
  { repository, number, headSha }: MergeInput,
  { headSha: head, headBranch, state }: PullRequest,
): void {
  if (head === headSha) return;
  const what = `${repository}#${number}`;
  throw new Failure(
    'HeadMoved',
    state === 'merged'
      ? `${what} was merged by somebody at ${head}, and what was shown is ${headSha}: reject or stop; the note will say what was shown`
      : `the head of ${what} is ${head}, and what was shown is ${headSha}: put the branch back (git push --force origin ${headSha}:${headBranch}) and say merge again, or reject`,
  );
}

function assertMergeable({ repository, number }: MergeInput, pullRequest: PullRequest): void {
  const what = `${repository}#${number}`;
  const { state, draft, mergeable, mergeableState, base } = pullRequest;
  if (state === 'closed') {
    throw new Failure(
      'NotMergeable',
      `${what} was closed without a merge: reopen it and say merge again, or reject`,
    );
  }
  if (draft) {
    const cure = 'press "Ready for review" on GitHub, then say merge again';
    throw new Failure('NotMergeable', `${what} is a draft: ${cure}`);
  }
  if (mergeable === false || mergeableState === 'behind') {
    const how = mergeable === false ? `conflicts with ${base}` : `is behind ${base}, which asks for more`;
    const cure = `say revise, and the change is brought up to ${base} (the evidence is void then: it trains again); or reject`;
    throw new Failure('BaseMoved', `${what} ${how}: ${cure}`);
  }
}

function stillMergeable({ state, mergeableState }: PullRequest): boolean {
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
  if (typeof input.keepTag === 'string') await github.createTag(repository, input.keepTag, input.headSha);
  if (merged.headRepository?.toLowerCase() === merged.baseRepository.toLowerCase()) {
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
