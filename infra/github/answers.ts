import { z } from 'zod';

import { Failure } from '../failure.ts';

/** The parts of GitHub's answers that are relied on. */
const Sha = z.string().regex(/^[0-9a-f]{40,64}$/);
const Author = z.object({ login: z.string(), id: z.number(), type: z.string().default('User') }).nullable();

export const User = z.object({ id: z.number(), login: z.string() });
export const Repository = z.object({ full_name: z.string() });
export const Branch = z.object({ commit: z.object({ sha: Sha }) });
export const Permission = z.object({ permission: z.string(), role_name: z.string().optional() });
export const Tree = z.object({ tree: z.array(z.object({ path: z.string(), type: z.string() })) });
export const Content = z.object({ content: z.string(), encoding: z.string() });
export const Reference = z.object({ object: z.object({ sha: Sha }) });
export const Created = z.object({ sha: Sha });
export const Commit = z.object({ sha: Sha, tree: z.object({ sha: Sha }) });
export const Merged = z.object({ sha: Sha, merged: z.literal(true) });

/** As in a list, where GitHub leaves out whether it was merged and whether it can be. */
export const PullRequestAnswer = z.object({
  number: z.int(),
  html_url: z.string(),
  state: z.enum(['open', 'closed']),
  draft: z.boolean().default(false),
  merged_at: z.string().nullable(),
  merge_commit_sha: Sha.nullable(),
  mergeable: z.boolean().nullable().default(null),
  mergeable_state: z.string().default('unknown'),
  head: z.object({ sha: Sha, ref: z.string(), repo: z.object({ full_name: z.string() }).nullable() }),
  base: z.object({ ref: z.string(), repo: z.object({ full_name: z.string() }) }),
  title: z.string(),
  body: z.string().nullish(),
  requested_reviewers: z.array(z.object({ login: z.string() })).nullish(),
});
export type PullRequestAnswer = z.infer<typeof PullRequestAnswer>;

export const ReviewAnswer = z.object({
  id: z.number(),
  user: Author,
  body: z.string().nullable(),
  state: z.enum(['APPROVED', 'CHANGES_REQUESTED', 'COMMENTED', 'DISMISSED', 'PENDING']),
  commit_id: z.string().nullable(),
});

export const CheckRun = z.object({
  name: z.string(),
  status: z.string(),
  conclusion: z.string().nullable(),
  html_url: z.string().nullable(),
});

export const StatusAnswer = z.object({
  state: z.enum(['pending', 'success', 'failure', 'error']),
  context: z.string(),
  description: z.string().nullable(),
  target_url: z.string().nullable(),
});

export const CommentAnswer = z.object({
  id: z.number(),
  user: Author,
  body: z.string().nullish(),
  html_url: z.string(),
  updated_at: z.string(),
});

export const ThreadsAnswer = z.object({
  repository: z.object({
    pullRequest: z.object({
      reviewThreads: z.object({
        nodes: z.array(
          z.object({
            id: z.string(),
            isResolved: z.boolean(),
            isOutdated: z.boolean(),
            path: z.string(),
            line: z.int().nullable(),
            comments: z.object({
              nodes: z.array(
                z.object({
                  body: z.string(),
                  author: z.object({ login: z.string(), __typename: z.string() }).nullable(),
                }),
              ),
            }),
          }),
        ),
        pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
      }),
    }),
  }),
});

export type ThreadsAnswer = z.infer<typeof ThreadsAnswer>;

export const ViewerAnswer = z.object({ viewer: z.object({ login: z.string(), databaseId: z.int() }) });

/** Reads an answer, or throws `GithubUnavailable`: what is not of GitHub's form is not from GitHub. */
export function readAnswer<T extends z.ZodType>(schema: T, data: unknown, what: string): z.infer<T> {
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Failure(
    'GithubUnavailable',
    `the answer to ${what} is not of the expected form (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}); look at GITHUB_API_URL and at what stands between`,
  );
}
