import type { Octokit } from '@octokit/rest';
import { z } from 'zod';

import { Merged, PullRequestAnswer, readAnswer, ReviewAnswer, ThreadsAnswer } from './answers.ts';
import type { GithubClient, OpenThread, PullRequest } from './github-client.ts';
import { askGraphql } from './graphql.ts';
import { repositoryName } from './repository-name.ts';

type PullRequestCalls = Pick<
  GithubClient,
  | 'listPullRequestsOf'
  | 'createPullRequest'
  | 'getPullRequest'
  | 'closePullRequest'
  | 'requestReviewers'
  | 'listReviews'
  | 'listOpenThreads'
  | 'squashMerge'
>;

/** What is asked of and done to pull requests. */
export function pullRequestCalls(octokit: Octokit): PullRequestCalls {
  const { pulls } = octokit.rest;
  return {
    async listPullRequestsOf(repository, branch) {
      const name = repositoryName(repository);
      const { data } = await pulls.list({
        ...name,
        head: `${name.owner}:${branch}`,
        state: 'all',
        sort: 'created',
        direction: 'desc',
        per_page: 100,
      });
      return readAnswer(z.array(PullRequestAnswer), data, `pull requests of ${branch}`)
        .filter(({ head }) => head.ref === branch)
        .map(fromAnswer);
    },

    async createPullRequest(repository, pullRequest) {
      const { data } = await pulls.create({ ...repositoryName(repository), ...pullRequest });
      return fromAnswer(readAnswer(PullRequestAnswer, data, `the new pull request of ${repository}`));
    },

    async getPullRequest(repository, number) {
      const { data } = await pulls.get({ ...repositoryName(repository), pull_number: number });
      return fromAnswer(readAnswer(PullRequestAnswer, data, `${repository}#${number}`));
    },

    async closePullRequest(repository, number) {
      await pulls.update({ ...repositoryName(repository), pull_number: number, state: 'closed' });
    },

    async requestReviewers(repository, number, logins) {
      await pulls.requestReviewers({
        ...repositoryName(repository),
        pull_number: number,
        reviewers: [...logins],
      });
    },

    async listReviews(repository, number) {
      const data = await octokit.paginate(pulls.listReviews, {
        ...repositoryName(repository),
        pull_number: number,
        per_page: 100,
      });
      return readAnswer(z.array(ReviewAnswer), data, `reviews of ${repository}#${number}`).map((review) => ({
        id: review.id,
        author: review.user?.login ?? 'ghost',
        isBot: review.user?.type === 'Bot',
        commitId: review.commit_id ?? '',
        state: review.state,
        body: review.body ?? '',
      }));
    },

    listOpenThreads: (repository, number) => openThreads(octokit, repository, number),

    async squashMerge(repository, number, { headSha, title, message }) {
      const { data } = await pulls.merge({
        ...repositoryName(repository),
        pull_number: number,
        merge_method: 'squash',
        sha: headSha,
        commit_title: title,
        commit_message: message,
      });
      return { sha: readAnswer(Merged, data, `merge of ${repository}#${number}`).sha };
    },
  };
}

function fromAnswer(answer: PullRequestAnswer): PullRequest {
  const merged = answer.merged_at !== null;
  return {
    number: answer.number,
    url: answer.html_url,
    state: merged ? 'merged' : answer.state,
    draft: answer.draft,
    headSha: answer.head.sha,
    headBranch: answer.head.ref,
    headRepository: answer.head.repo?.full_name ?? null,
    base: answer.base.ref,
    baseRepository: answer.base.repo.full_name,
    title: answer.title,
    body: answer.body ?? '',
    // Before the merge GitHub gives a trial commit here, which means nothing.
    mergeCommitSha: merged ? answer.merge_commit_sha : null,
    mergeable: answer.mergeable,
    mergeableState: answer.mergeable_state,
    requestedReviewers: (answer.requested_reviewers ?? []).map(({ login }) => login),
  };
}

const threadsQuery = `query ($owner: String!, $repo: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $repo) {
    pullRequest(number: $number) {
      reviewThreads(first: 100, after: $after) {
        nodes {
          id isResolved isOutdated path line
          comments(first: 1) { nodes { body author { login __typename } } }
        }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}`;

async function openThreads(octokit: Octokit, repository: string, number: number): Promise<OpenThread[]> {
  const threads: OpenThread[] = [];
  let after: string | null = null;
  do {
    const variables = { ...repositoryName(repository), number, after };
    const answer: ThreadsAnswer = await askGraphql(octokit, ThreadsAnswer, threadsQuery, variables);
    const { nodes, pageInfo } = answer.repository.pullRequest.reviewThreads;
    for (const { id, isResolved, isOutdated, path, line, comments } of nodes) {
      const [first] = comments.nodes;
      if (isResolved || isOutdated || first === undefined) continue;
      const author = first.author?.login ?? 'ghost';
      threads.push({ id, author, isBot: first.author?.__typename === 'Bot', path, line, body: first.body });
    }
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after !== null);
  return threads;
}
