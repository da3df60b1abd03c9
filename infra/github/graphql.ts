import { GraphqlResponseError } from '@octokit/graphql';
import type { Octokit } from '@octokit/rest';
import type { z } from 'zod';

import type { FailureType } from '../../domain/failure.ts';
import { Failure } from '../failure.ts';
import { readAnswer } from './answers.ts';

const types: Readonly<Record<string, FailureType>> = {
  NOT_FOUND: 'GithubNotFound',
  FORBIDDEN: 'GithubForbidden',
  INSUFFICIENT_SCOPES: 'GithubForbidden',
  RATE_LIMITED: 'GithubRateLimited',
  RATE_LIMIT: 'GithubRateLimited',
};

/** Asks by GraphQL, which answers 200 for its errors too. `/api/v3` of GitHub Enterprise becomes `/api/graphql`. */
export async function askGraphql<T extends z.ZodType>(
  octokit: Octokit,
  schema: T,
  query: string,
  variables: Record<string, unknown>,
): Promise<z.infer<T>> {
  let data: unknown;
  try {
    data = await octokit.graphql(query, variables);
  } catch (error) {
    if (!(error instanceof GraphqlResponseError)) throw error;
    const [first] = error.errors ?? [];
    const type = types[first?.type ?? ''] ?? 'GithubUnavailable';
    throw new Failure(type, `GitHub's GraphQL answered: ${first?.message ?? 'an error without words'}`, {
      cause: error,
      ...(type === 'GithubRateLimited' && { retryAfterMs: 60_000 }),
    });
  }
  return readAnswer(schema, data, 'a GraphQL query');
}
