import type { Failure } from '../../infra/failure.ts';
import type { BranchRules } from '../../infra/github/gate-calls.ts';
import type { GithubClient, PullRequest } from '../../infra/github/github-client.ts';
import type { MergeInput } from './interface.ts';

/**
 * Why GitHub does not merge, and what a person can do about it. GitHub's own words come first; what they leave out (how
 * many reviews, which checks, the queue) is read from the rules of the base branch.
 */
export async function explainRefusal(
  github: GithubClient,
  { repository, number, headSha }: MergeInput,
  pullRequest: PullRequest,
  refusal: Failure,
): Promise<string> {
  const { base } = pullRequest;
  const rules = await github.branchRules(repository, base);
  const missing = [
    ...queueOf(rules, base),
    ...(await checksOf(github, repository, headSha, rules)),
    ...(await reviewsOf(github, repository, number, rules)),
    ...(await threadsOf(github, repository, number, rules)),
  ];
  const cures = missing.length > 0 ? missing : ['look at the pull request for what is missing'];
  return `${repository}#${number} was not merged: ${refusal.message.trim()}; ${cures.join('; ')}; then say merge again`;
}

function queueOf({ mergeQueue }: BranchRules, base: string): string[] {
  if (!mergeQueue) return [];
  return [
    `${base} takes merges through its merge queue alone: add the pull request to the queue on GitHub and wait until it is merged`,
  ];
}

async function checksOf(
  github: GithubClient,
  repository: string,
  sha: string,
  { checks }: BranchRules,
): Promise<string[]> {
  if (checks.length === 0) return [];
  const [runs, statuses] = [
    await github.listCheckRuns(repository, sha),
    await github.listStatuses(repository, sha),
  ];
  const states = [...runs, ...statuses.map(({ context, state }) => ({ name: context, state }))];
  const red = checks.filter((name) => {
    const named = states.filter((one) => one.name === name);
    return named.length === 0 || named.some(({ state }) => state !== 'success');
  });
  return red.length === 0 ? [] : [`not green yet: ${red.join(', ')}`];
}

async function reviewsOf(
  github: GithubClient,
  repository: string,
  number: number,
  { approvals }: BranchRules,
): Promise<string[]> {
  const said = (await github.listReviews(repository, number)).filter(
    ({ state }) => state === 'APPROVED' || state === 'CHANGES_REQUESTED' || state === 'DISMISSED',
  );
  const last = [...new Map(said.map(({ author, state }) => [author, state]))];
  const against = last.filter(([, state]) => state === 'CHANGES_REQUESTED').map(([author]) => author);
  const given = last.filter(([, state]) => state === 'APPROVED').length;
  return [
    ...(against.length === 0 ? [] : [`${against.join(', ')} asked for changes`]),
    ...(given >= approvals
      ? []
      : [`${approvals} approving reviews are required, ${given} are there: approve it`]),
  ];
}

async function threadsOf(
  github: GithubClient,
  repository: string,
  number: number,
  { threadsResolved }: BranchRules,
): Promise<string[]> {
  if (!threadsResolved) return [];
  const open = await github.listOpenThreads(repository, number);
  return open.length === 0 ? [] : [`${open.length} conversations must be resolved`];
}
