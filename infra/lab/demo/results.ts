import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Octokit } from '@octokit/rest';

import type { ExperimentStatus } from '../../../domain/experiment.ts';
import { commentMarker } from '../../../domain/ids.ts';
import type { DemoWorld } from './demo-world.ts';

/** What the demo leaves behind, each thing found again where a person would look for it. */
export interface DemoResults {
  readonly mergeSha: string;
  readonly mergeTitle: string;
  readonly commentUrl: string;
  readonly pictureUrl: string;
  readonly pictureBytes: number;
  readonly notePath: string;
  readonly note: string;
}

/** Reads the outcome back from git, the pull request and the vault. Throws an `Error` that names what is missing. */
export async function readResults(world: DemoWorld, status: ExperimentStatus): Promise<DemoResults> {
  const { GITHUB_API_URL = '', GITHUB_TOKEN = '' } = world.lab.settings;
  const octokit = new Octokit({ baseUrl: GITHUB_API_URL, auth: GITHUB_TOKEN });
  const [owner = '', repo = ''] = status.repository.split('/');
  const { data: main } = await octokit.rest.repos.getCommit({ owner, repo, ref: 'main' });
  if (main.sha !== status.mergeSha)
    throw new Error(`main is at ${main.sha}, the merge was ${String(status.mergeSha)}`);
  const issue_number = status.pullRequest?.number ?? 0;
  const { data: comments } = await octokit.rest.issues.listComments({ owner, repo, issue_number });
  const own = comments.filter(({ body }) => body?.includes(commentMarker(status.id)) === true);
  if (own.length !== 1)
    throw new Error(`the pull request holds ${own.length} comments of the experiment, expected one`);
  const pictureUrl = /<img alt="[^"]*" src="([^"]+)"/.exec(own[0]?.body ?? '')?.[1];
  if (pictureUrl === undefined) throw new Error('the comment holds no picture');
  const picture = await pngAt(pictureUrl);
  const notePath = join(world.home, 'vault', status.note?.path ?? '');
  return {
    mergeSha: main.sha,
    mergeTitle: main.commit.message.split('\n', 1)[0] ?? '',
    commentUrl: own[0]?.html_url ?? '',
    pictureUrl,
    pictureBytes: picture.length,
    notePath,
    note: await readFile(notePath, 'utf8'),
  };
}

async function pngAt(url: string): Promise<Buffer> {
  const answer = await fetch(url);
  const bytes = Buffer.from(await answer.arrayBuffer());
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47]);
  if (!answer.ok || !bytes.subarray(0, 4).equals(signature))
    throw new Error(`${url} is no PNG (HTTP ${answer.status})`);
  return bytes;
}
