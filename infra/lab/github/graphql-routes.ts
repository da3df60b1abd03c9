import type { FastifyInstance } from 'fastify';
import { buildSchema, graphql, GraphQLError } from 'graphql';
import { z } from 'zod';

import type { Lab } from './lab.ts';
import { accessOf, apiUser } from './router.ts';
import { Refusal } from './refusal.ts';
import { nodeId } from './user-shape.ts';
import type { LabPull, LabRepository, LabThread, LabUser } from './state.ts';

const schema = buildSchema(`
  interface Actor { login: String! }
  type User implements Actor { login: String! databaseId: Int }
  type Bot implements Actor { login: String! databaseId: Int }
  type Organization implements Actor { login: String! databaseId: Int }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type PullRequestReviewComment { id: ID! body: String! author: Actor }
  type PullRequestReviewCommentConnection { nodes: [PullRequestReviewComment]! totalCount: Int! }
  type PullRequestReviewThread {
    id: ID! isResolved: Boolean! isOutdated: Boolean! path: String! line: Int originalLine: Int
    comments(first: Int, after: String): PullRequestReviewCommentConnection!
  }
  type PullRequestReviewThreadConnection { nodes: [PullRequestReviewThread]! pageInfo: PageInfo! totalCount: Int! }
  type PullRequest {
    id: ID! number: Int! isDraft: Boolean! merged: Boolean! headRefOid: String!
    reviewThreads(first: Int, after: String): PullRequestReviewThreadConnection!
  }
  type Repository { pullRequest(number: Int!): PullRequest }
  input ResolveReviewThreadInput { threadId: ID! }
  type ResolveReviewThreadPayload { thread: PullRequestReviewThread }
  input MarkPullRequestReadyForReviewInput { pullRequestId: ID! }
  type MarkPullRequestReadyForReviewPayload { pullRequest: PullRequest }
  input ConvertPullRequestToDraftInput { pullRequestId: ID! }
  type ConvertPullRequestToDraftPayload { pullRequest: PullRequest }
  type Query { viewer: User! repository(owner: String!, name: String!): Repository }
  type Mutation {
    resolveReviewThread(input: ResolveReviewThreadInput!): ResolveReviewThreadPayload
    unresolveReviewThread(input: ResolveReviewThreadInput!): ResolveReviewThreadPayload
    markPullRequestReadyForReview(input: MarkPullRequestReadyForReviewInput!): MarkPullRequestReadyForReviewPayload
    convertPullRequestToDraft(input: ConvertPullRequestToDraftInput!): ConvertPullRequestToDraftPayload
  }
`);

const Question = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
});

/** The few things that GitHub tells by GraphQL alone, by a real executor, so that a wrong query is refused. */
export function addGraphqlRoutes(server: FastifyInstance, lab: Lab): void {
  for (const url of ['/graphql', '/api/graphql']) {
    // oxlint-disable-next-line oxc/no-async-endpoint-handlers -- the rule is about Express; fastify awaits its handlers
    server.post(url, async (request) => {
      const user = apiUser(lab, request);
      if (user === null) throw new Refusal(401, 'This endpoint requires you to be authenticated.');
      const question = Question.safeParse(request.body);
      if (!question.success)
        throw new Refusal(400, 'A query attribute must be specified and must be a string.');
      const { query, variables } = question.data;
      const { data, errors } = await graphql({
        schema,
        source: query,
        rootValue: rootOf(lab, user),
        ...(variables !== null && variables !== undefined && { variableValues: variables }),
      });
      if (errors === undefined) return { data };
      return { data: data ?? null, errors: errors.map(errorShape) };
    });
  }
}

function errorShape({ message, path, extensions }: GraphQLError): object {
  const type = extensions['type'];
  return { ...(typeof type === 'string' && { type }), path, message };
}

function notFound(what: string): GraphQLError {
  return new GraphQLError(`Could not resolve to a ${what}.`, { extensions: { type: 'NOT_FOUND' } });
}

function rootOf(lab: Lab, user: LabUser): object {
  const visible = lab.state.repositories.filter((one) => accessOf(one, user) !== null);
  const setResolved = (resolved: boolean) => (args: { input: { threadId: string } }) => {
    const { repository, thread } = findThread(visible, args.input.threadId);
    const access = accessOf(repository, user);
    if (access === 'read')
      throw new GraphQLError('Resource not accessible', { extensions: { type: 'FORBIDDEN' } });
    thread.resolved = resolved;
    lab.save();
    return { thread: threadNode(lab, thread) };
  };
  const draftTo = draftSetter(lab, visible, user);
  return {
    // Only of itself an App is told its whole login.
    viewer: { ...actor(user), login: user.login },
    repository: ({ owner, name }: { owner: string; name: string }) => {
      const repository = lab.find(owner, name);
      if (repository === undefined || !visible.includes(repository)) {
        throw notFound(`Repository with the name '${owner}/${name}'`);
      }
      return {
        pullRequest: ({ number }: { number: number }) => {
          const pull = repository.pulls.find((one) => one.number === number);
          if (pull === undefined) throw notFound(`PullRequest with the number of ${number}`);
          return pullNode(lab, pull);
        },
      };
    },
    resolveReviewThread: setResolved(true),
    unresolveReviewThread: setResolved(false),
    markPullRequestReadyForReview: draftTo(false),
    convertPullRequestToDraft: draftTo(true),
  };
}

interface Drafted {
  readonly input: { readonly pullRequestId: string };
}

/** A draft cannot be merged, and asks for no review by itself. */
function draftSetter(lab: Lab, visible: readonly LabRepository[], user: LabUser) {
  return (draft: boolean) =>
    ({ input }: Drafted) => {
      const isIt = ({ id }: LabPull): boolean => nodeId('PR', id) === input.pullRequestId;
      const repository = visible.find(({ pulls }) => pulls.some(isIt));
      const pull = repository?.pulls.find(isIt);
      if (repository === undefined || pull === undefined) {
        throw notFound(`node with the global id of '${input.pullRequestId}'`);
      }
      const access = accessOf(repository, user);
      if (pull.author !== user.login && access !== 'write' && access !== 'admin') {
        throw new GraphQLError('Resource not accessible', { extensions: { type: 'FORBIDDEN' } });
      }
      if (pull.state === 'closed') {
        throw new GraphQLError('Pull request is closed', { extensions: { type: 'UNPROCESSABLE' } });
      }
      if (pull.draft !== draft) setDraft(lab, repository, pull, draft, user);
      return { pullRequest: pullNode(lab, pull) };
    };
}

/** Changes it and tells the hooks. */
export function setDraft(
  ...[lab, repository, pull, draft, user]: [Lab, LabRepository, LabPull, boolean, LabUser]
): void {
  pull.draft = draft;
  pull.updatedAt = lab.now();
  lab.announcePull(repository, pull, draft ? 'converted_to_draft' : 'ready_for_review', user);
  lab.save();
}

function findThread(
  repositories: readonly LabRepository[],
  id: string,
): { repository: LabRepository; thread: LabThread } {
  for (const repository of repositories) {
    const threads = repository.pulls.flatMap((pull) => pull.threads);
    const thread = threads.find((one) => one.id === id);
    if (thread !== undefined) return { repository, thread };
  }
  throw notFound(`node with the global id of '${id}'`);
}

function pullNode(lab: Lab, pull: LabPull): object {
  return {
    id: nodeId('PR', pull.id),
    number: pull.number,
    isDraft: pull.draft,
    merged: pull.mergedAt !== null,
    headRefOid: pull.headSha,
    reviewThreads: ({ first = 100, after }: { first?: number; after?: string | null }) => {
      const start =
        after === undefined || after === null ? 0 : Number(Buffer.from(after, 'base64').toString());
      const end = start + Math.min(first, 100);
      return {
        totalCount: pull.threads.length,
        nodes: pull.threads.slice(start, end).map((thread) => threadNode(lab, thread)),
        pageInfo: {
          hasNextPage: end < pull.threads.length,
          endCursor: Buffer.from(String(end)).toString('base64'),
        },
      };
    },
  };
}

function threadNode(lab: Lab, thread: LabThread): object {
  return {
    id: thread.id,
    isResolved: thread.resolved,
    isOutdated: thread.line === null,
    path: thread.path,
    line: thread.line,
    originalLine: thread.originalLine,
    comments: {
      totalCount: thread.comments.length,
      nodes: thread.comments.map(({ id, body, author }) => ({
        id: nodeId('PRRC', id),
        body,
        author: actor(lab.user(author)),
      })),
    },
  };
}

/** GraphQL leaves the `[bot]` of a login out. */
function actor({ login, type, id }: LabUser): object {
  return { __typename: type, login: login.replace(/\[bot\]$/, ''), databaseId: id };
}
