import type { Octokit } from '@octokit/rest';
import { z } from 'zod';

import { Failure } from '../failure.ts';
import { readAnswer } from './answers.ts';
import { askGraphql } from './graphql.ts';
import { repositoryName } from './repository-name.ts';

/** What is done to a pull request beside opening, closing and merging it. */
export interface ProposalCalls {
  updateBody(repository: string, number: number, body: string): Promise<void>;
  /** A draft becomes ready for review; one that is ready stays so. */
  markReady(repository: string, number: number): Promise<void>;
  /** Adds labels to those that are there; GitHub makes those that do not exist yet. */
  addLabels(repository: string, number: number, labels: readonly string[]): Promise<void>;
  /** A tag of this name that points elsewhere is left as it is. */
  createTag(repository: string, tag: string, sha: string): Promise<void>;
}

const NodeId = z.object({ node_id: z.string(), draft: z.boolean().default(false) });
const Ready = z.object({
  markPullRequestReadyForReview: z.object({ pullRequest: z.object({ isDraft: z.literal(false) }) }),
});

const readyMutation = `mutation ($id: ID!) {
  markPullRequestReadyForReview(input: { pullRequestId: $id }) { pullRequest { isDraft } }
}`;

export function proposalCalls(octokit: Octokit): ProposalCalls {
  return {
    async updateBody(repository, number, body) {
      await octokit.rest.pulls.update({ ...repositoryName(repository), pull_number: number, body });
    },

    async markReady(repository, number) {
      const what = `${repository}#${number}`;
      const { data } = await octokit.rest.pulls.get({ ...repositoryName(repository), pull_number: number });
      const { node_id, draft } = readAnswer(NodeId, data, what);
      if (draft) await askGraphql(octokit, Ready, readyMutation, { id: node_id });
    },

    async addLabels(repository, number, labels) {
      await octokit.rest.issues.addLabels({
        ...repositoryName(repository),
        issue_number: number,
        labels: [...labels],
      });
    },

    async createTag(repository, tag, sha) {
      try {
        await octokit.rest.git.createRef({ ...repositoryName(repository), ref: `refs/tags/${tag}`, sha });
      } catch (error) {
        // 422: it is there already.
        if (!(error instanceof Failure) || error.type !== 'GithubInvalid') throw error;
      }
    },
  };
}
