import type { GithubSettings } from '../settings.ts';
import { checkCalls } from './check-calls.ts';
import { commentCalls } from './comment-calls.ts';
import { conversationCalls } from './conversation-calls.ts';
import { gateCalls } from './gate-calls.ts';
import type { GithubClient } from './github-client.ts';
import { createOctokit } from './octokit.ts';
import { proposalCalls } from './proposal-calls.ts';
import { pullRequestCalls } from './pull-request-calls.ts';
import { putAsset } from './put-asset.ts';
import { repositoryCalls } from './repository-calls.ts';
import { uploadAttachment } from './upload-attachment.ts';

export interface GithubClientOptions {
  /** Limit of one request, ms. */
  readonly timeoutMs?: number;
}

/** GitHub, or GitHub Enterprise (`apiUrl` ends in `/api/v3` there), by its REST API and, for review threads, GraphQL. */
export function createGithubClient(
  settings: GithubSettings,
  { timeoutMs = 30_000 }: GithubClientOptions = {},
): GithubClient {
  const octokit = createOctokit(settings, timeoutMs);
  return {
    serverUrl: settings.serverUrl,
    ...repositoryCalls(octokit),
    ...pullRequestCalls(octokit),
    ...checkCalls(octokit),
    ...commentCalls(octokit),
    ...conversationCalls(octokit),
    ...gateCalls(octokit),
    ...proposalCalls(octokit),
    putAsset: (repository, asset) => putAsset(octokit, repository, asset),
    uploadAttachment: async (repository, attachment) =>
      settings.uploadsUrl === undefined
        ? null
        : uploadAttachment(octokit, settings.uploadsUrl, repository, attachment),
  };
}
