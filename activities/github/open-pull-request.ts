import { branchName } from '../../domain/ids.ts';
import { Failure } from '../../infra/failure.ts';
import type { GithubClient, PullRequest } from '../../infra/github/github-client.ts';
import { renewBody } from './generated-block.ts';
import { pullRequestBody } from './pull-request-body.ts';
import type { OpenPullRequestInput, PullRequestRef } from './interface.ts';

/** By these the pull requests of experiments are found on GitHub. */
const labels = ['hephaestus', 'experiment'];

/**
 * The pull request of the experiment's branch, opened as a draft or found again. Of one that is there only the generated
 * part of the body is renewed: title, draft or not, and every word beside that part are a person's by now.
 */
export async function openPullRequest(
  github: GithubClient,
  input: OpenPullRequestInput,
): Promise<PullRequestRef> {
  const { repository } = input.note;
  const found = await findPullRequest(github, input);
  const pullRequest = found ?? (await create(github, input));
  if (found !== null && found.state === 'open') await renew(github, input, found);
  const labelled = await mayFail(() => github.addLabels(repository, pullRequest.number, labels));
  const { number, url, draft } = pullRequest;
  return { number, url, draft, labelled };
}

async function create(github: GithubClient, input: OpenPullRequestInput): Promise<PullRequest> {
  const { repository, base, title } = input.note;
  const wanted = {
    title,
    body: renewBody(null, pullRequestBody(input)),
    head: branchName(input.experimentId),
    base,
  };
  // GitHub answers alike to what is there already, to drafts where there are none, and to what is wrong.
  for (const draft of [true, false]) {
    try {
      return await github.createPullRequest(repository, { ...wanted, draft });
    } catch (error) {
      if (!(error instanceof Failure) || error.type !== 'GithubInvalid') throw error;
      const opened = await findPullRequest(github, input);
      if (opened !== null) return opened;
      if (!draft) throw error;
    }
  }
  throw new Failure('GithubInvalid', `${repository} took the pull request neither as a draft nor as none`);
}

async function renew(
  github: GithubClient,
  input: OpenPullRequestInput,
  { number, body }: PullRequest,
): Promise<void> {
  const renewed = renewBody(body, pullRequestBody(input));
  if (renewed !== body) await github.updateBody(input.note.repository, number, renewed);
}

/** The open one; else one of exactly this head, which somebody closed or merged since. */
async function findPullRequest(
  github: GithubClient,
  { note: { repository }, experimentId, headSha }: OpenPullRequestInput,
): Promise<PullRequest | null> {
  const own = (await github.listPullRequestsOf(repository, branchName(experimentId))).filter(
    ({ headRepository, baseRepository }) => headRepository?.toLowerCase() === baseRepository.toLowerCase(),
  );
  return own.find(({ state }) => state === 'open') ?? own.find((one) => one.headSha === headSha) ?? null;
}

/** False where this credential or this repository does not allow what is good to have and no more. */
async function mayFail(act: () => Promise<void>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    const refused = error instanceof Failure && /^Github(?:Forbidden|NotFound|Invalid)$/.test(error.type);
    if (!refused) throw error;
    return false;
  }
}
