import { branchName } from '../../domain/ids.ts';
import { Failure } from '../../infra/failure.ts';
import type { GithubClient, PullRequest } from '../../infra/github/github-client.ts';
import { pullRequestBody } from './pull-request-body.ts';
import type { OpenPullRequestInput, PullRequestRef } from './interface.ts';

/**
 * The pull request of the experiment's branch, opened or found again; one that is there keeps its title and body, because
 * a person may have edited them.
 */
export async function openPullRequest(
  github: GithubClient,
  input: OpenPullRequestInput,
): Promise<PullRequestRef> {
  const { repository, base, title } = input.note;
  const branch = branchName(input.experimentId);
  const found = await findPullRequest(github, repository, branch, input.headSha);
  if (found !== null) return refOf(found);
  try {
    const body = pullRequestBody(input);
    return refOf(await github.createPullRequest(repository, { title, body, head: branch, base }));
  } catch (error) {
    if (!(error instanceof Failure) || error.type !== 'GithubInvalid') throw error;
    // Among other things it says so when somebody opened it a moment ago; only looking again tells.
    const opened = await findPullRequest(github, repository, branch, input.headSha);
    if (opened !== null) return refOf(opened);
    throw error;
  }
}

/** The open one; else one of exactly this head, which somebody closed or merged since. */
async function findPullRequest(
  github: GithubClient,
  repository: string,
  branch: string,
  headSha: string,
): Promise<PullRequest | null> {
  const own = (await github.listPullRequestsOf(repository, branch)).filter(
    ({ headRepository }) => headRepository?.toLowerCase() === repository.toLowerCase(),
  );
  return own.find(({ state }) => state === 'open') ?? own.find((one) => one.headSha === headSha) ?? null;
}

function refOf({ number, url }: PullRequest): PullRequestRef {
  return { number, url };
}
