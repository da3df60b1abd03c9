import type { Octokit } from '@octokit/rest';
import { z } from 'zod';

import { Failure } from '../failure.ts';
import { readAnswer } from './answers.ts';
import { repositoryName } from './repository-name.ts';

export interface Attachment {
  /** Ends as its type asks, for example curves.png */
  readonly name: string;
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

const RepositoryId = z.object({ id: z.number() });
const Uploaded = z.object({ url: z.url({ protocol: /^https?$/ }) });

/** What GitHub answers to a credential that cannot upload: tokens of a GitHub App cannot. */
const cannot = new Set<string>(['GithubForbidden', 'GithubNotFound', 'GithubInvalid', 'GithubUnauthorized']);

/**
 * Uploads a picture as people do when they drop one into a comment: whoever may see the repository sees it, and nobody
 * else. `uploadsUrl` is the server for uploads, for example https://uploads.github.com. Returns the address of the
 * picture; null where this credential cannot do that.
 */
export async function uploadAttachment(
  octokit: Octokit,
  uploadsUrl: string,
  repository: string,
  { name, contentType, bytes }: Attachment,
): Promise<string | null> {
  try {
    const { data } = await octokit.rest.repos.get({ ...repositoryName(repository) });
    const { id } = readAnswer(RepositoryId, data, `GET ${repository}`);
    const answer = await octokit.request('POST /user-attachments/assets{?name,content_type,repository_id}', {
      baseUrl: uploadsUrl,
      name,
      content_type: contentType,
      repository_id: id,
      headers: { 'content-type': 'application/octet-stream' },
      data: Buffer.from(bytes),
    });
    return readAnswer(Uploaded, answer.data, 'the upload of a picture').url;
  } catch (error) {
    if (error instanceof Failure && cannot.has(error.type)) return null;
    throw error;
  }
}
