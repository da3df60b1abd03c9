import { Failure } from '../../infra/failure.ts';
import type { GithubClient } from '../../infra/github/github-client.ts';
import { copilotReviewer } from './copilot.ts';
import type { ReviewRequestInput } from './interface.ts';

/**
 * Asks Copilot to review this head, unless it did or is asked already: each call may cost a review. A server that cannot
 * do it is no failure; the snapshot says that no review was asked for.
 */
export async function requestReview(
  github: GithubClient,
  logins: ReadonlySet<string>,
  { repository, number, headSha }: ReviewRequestInput,
): Promise<void> {
  const { requestedReviewers } = await github.getPullRequest(repository, number);
  if (requestedReviewers.some((login) => logins.has(login))) return;
  const reviews = await github.listReviews(repository, number);
  if (reviews.some(({ author, isBot, commitId }) => isBot && logins.has(author) && commitId === headSha)) {
    return;
  }
  try {
    await github.requestReviewers(repository, number, [copilotReviewer]);
  } catch (error) {
    const cannot = error instanceof Failure && ['GithubInvalid', 'GithubNotFound'].includes(error.type);
    if (!cannot) throw error;
  }
}
