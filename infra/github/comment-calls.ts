import type { Octokit } from '@octokit/rest';
import { z } from 'zod';

import { CommentAnswer, readAnswer } from './answers.ts';
import type { GithubClient, IssueComment } from './github-client.ts';
import { repositoryName } from './repository-name.ts';

type CommentCalls = Pick<GithubClient, 'listComments' | 'createComment' | 'updateComment' | 'deleteComment'>;

/** The comments below a pull request. */
export function commentCalls(octokit: Octokit): CommentCalls {
  const { issues } = octokit.rest;
  return {
    async listComments(repository, number) {
      const data = await octokit.paginate(issues.listComments, {
        ...repositoryName(repository),
        issue_number: number,
        per_page: 100,
      });
      return readAnswer(z.array(CommentAnswer), data, `comments of ${repository}#${number}`).map(fromAnswer);
    },

    async createComment(repository, number, body) {
      const { data } = await issues.createComment({
        ...repositoryName(repository),
        issue_number: number,
        body,
      });
      return fromAnswer(readAnswer(CommentAnswer, data, 'the new comment'));
    },

    async updateComment(repository, commentId, body) {
      const { data } = await issues.updateComment({
        ...repositoryName(repository),
        comment_id: commentId,
        body,
      });
      return fromAnswer(readAnswer(CommentAnswer, data, `comment ${commentId}`));
    },

    async deleteComment(repository, commentId) {
      await issues.deleteComment({ ...repositoryName(repository), comment_id: commentId });
    },
  };
}

function fromAnswer({ id, user, body, html_url, updated_at }: z.infer<typeof CommentAnswer>): IssueComment {
  return { id, authorId: user?.id ?? 0, body: body ?? '', url: html_url, updatedAt: updated_at };
}
