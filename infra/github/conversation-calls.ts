import type { Octokit } from '@octokit/rest';
import { z } from 'zod';

import { Failure } from '../failure.ts';
import { readAnswer } from './answers.ts';
import { repositoryName } from './repository-name.ts';

/** A comment as somebody wrote it. Times: ISO 8601, UTC. */
export interface SaidComment {
  readonly id: number;
  readonly url: string;
  readonly author: { readonly id: number; readonly login: string; readonly isBot: boolean };
  readonly body: string;
  readonly createdAt: string;
  /** Later than `createdAt` when it was edited. */
  readonly updatedAt: string;
}

/** What a pull request is, in one cheap question. */
export interface PullRequestSight {
  readonly url: string;
  readonly state: 'open' | 'closed' | 'merged';
  readonly draft: boolean;
  readonly author: { readonly login: string; readonly isBot: boolean };
  readonly headSha: string;
  readonly headBranch: string;
  /** owner/name of where the head comes from; null when that repository is gone. */
  readonly headRepository: string | null;
  readonly base: string;
  /** Moves with every comment, review, push and change of state. ISO 8601, UTC. */
  readonly updatedAt: string;
}

export type ReactionContent = 'rocket' | 'eyes' | '-1';

export interface ConversationCalls {
  /** Comments that were written or edited since then, oldest first. */
  listCommentsSince(repository: string, number: number, since: string): Promise<readonly SaidComment[]>;
  /** The same reaction twice is one. A comment that is gone is fine. */
  addReaction(repository: string, commentId: number, content: ReactionContent): Promise<void>;
  seePullRequest(repository: string, number: number): Promise<PullRequestSight>;
  /** null when there is no such file. */
  readFile(repository: string, path: string, ref: string): Promise<string | null>;
}

const Author = z.object({ id: z.number(), login: z.string(), type: z.string().default('User') }).nullable();

const Comment = z.object({
  id: z.number(),
  html_url: z.string(),
  user: Author,
  body: z.string().nullish(),
  created_at: z.iso.datetime({ offset: true }),
  updated_at: z.iso.datetime({ offset: true }),
});

const Sight = z.object({
  html_url: z.string(),
  state: z.enum(['open', 'closed']),
  draft: z.boolean().default(false),
  merged_at: z.string().nullable(),
  user: Author,
  head: z.object({
    sha: z.string().regex(/^[0-9a-f]{40,64}$/),
    ref: z.string(),
    repo: z.object({ full_name: z.string() }).nullable(),
  }),
  base: z.object({ ref: z.string() }),
  updated_at: z.iso.datetime({ offset: true }),
});

const File = z.object({ content: z.string(), encoding: z.string() });

/** What is asked and done to hear people. */
export function conversationCalls(octokit: Octokit): ConversationCalls {
  const { issues, pulls, reactions, repos } = octokit.rest;
  return {
    async listCommentsSince(repository, number, since) {
      const data = await octokit.paginate(issues.listComments, {
        ...repositoryName(repository),
        issue_number: number,
        since,
        per_page: 100,
      });
      return readAnswer(z.array(Comment), data, `comments of ${repository}#${number}`)
        .map(toComment)
        .toSorted((a, b) => a.id - b.id);
    },

    async addReaction(repository, commentId, content) {
      try {
        await reactions.createForIssueComment({
          ...repositoryName(repository),
          comment_id: commentId,
          content,
        });
      } catch (error) {
        if (!(error instanceof Failure) || error.type !== 'GithubNotFound') throw error;
      }
    },

    async seePullRequest(repository, number) {
      const { data } = await pulls.get({ ...repositoryName(repository), pull_number: number });
      return toSight(readAnswer(Sight, data, `${repository}#${number}`));
    },

    async readFile(repository, path, ref) {
      try {
        const { data } = await repos.getContent({ ...repositoryName(repository), path, ref });
        const { content, encoding } = readAnswer(File, data, `${path} of ${repository}`);
        // Of a file above a megabyte GitHub gives no content.
        return encoding === 'base64' ? Buffer.from(content, 'base64').toString('utf8') : null;
      } catch (error) {
        if (error instanceof Failure && error.type === 'GithubNotFound') return null;
        throw error;
      }
    },
  };
}

function toComment(answer: z.infer<typeof Comment>): SaidComment {
  const { id, user, body, html_url, created_at, updated_at } = answer;
  const author = { id: user?.id ?? 0, login: user?.login ?? 'ghost', isBot: user?.type === 'Bot' };
  return { id, url: html_url, author, body: body ?? '', createdAt: created_at, updatedAt: updated_at };
}

function toSight({ user, head, base, ...answer }: z.infer<typeof Sight>): PullRequestSight {
  return {
    url: answer.html_url,
    state: answer.merged_at === null ? answer.state : 'merged',
    draft: answer.draft,
    author: { login: user?.login ?? 'ghost', isBot: user?.type === 'Bot' },
    headSha: head.sha,
    headBranch: head.ref,
    headRepository: head.repo?.full_name ?? null,
    base: base.ref,
    updatedAt: answer.updated_at,
  };
}
