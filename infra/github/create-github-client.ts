import type { GithubSettings } from '../settings.ts';
import { Failure } from '../failure.ts';
import { accessCalls } from './access-calls.ts';
import { checkCalls } from './check-calls.ts';
import { commentCalls } from './comment-calls.ts';
import { conversationCalls } from './conversation-calls.ts';
import { fileCalls } from './file-calls.ts';
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

/**
 * GitHub, or GitHub Enterprise (`apiUrl` ends in `/api/v3` there), by its REST API and, for some things, GraphQL. A GitHub
 * App does everything where there is one, but what GitHub lets no App do: asking Copilot for a review and uploading
 * pictures are the token's.
 */
export function createGithubClient(
  settings: GithubSettings,
  { timeoutMs = 30_000 }: GithubClientOptions = {},
): GithubClient {
  const { token, app } = settings;
  const person = token === undefined ? null : createOctokit(settings, { token }, timeoutMs);
  const octokit = app === undefined ? person : createOctokit(settings, { app }, timeoutMs);
  if (octokit === null) {
    throw new Failure(
      'GithubUnauthorized',
      'there is neither a token nor a GitHub App to ask GitHub with: set GITHUB_TOKEN',
    );
  }
  return {
    serverUrl: settings.serverUrl,
    ...repositoryCalls(octokit),
    ...pullRequestCalls(octokit),
    requestReviewers: pullRequestCalls(person ?? octokit).requestReviewers,
    ...checkCalls(octokit),
    ...commentCalls(octokit),
    ...conversationCalls(octokit),
    ...fileCalls(octokit),
    ...gateCalls(octokit),
    ...proposalCalls(octokit),
    ...accessCalls({ ...settings, person, octokit }),
    putAsset: (repository, asset) => putAsset(octokit, repository, asset),
    uploadAttachment: async (repository, attachment) =>
      settings.uploadsUrl === undefined || person === null
        ? null
        : uploadAttachment(person, settings.uploadsUrl, repository, attachment),
  };
}
