import { setTimeout as sleep } from 'node:timers/promises';

import type { Octokit } from '@octokit/rest';

import { Failure } from '../failure.ts';
import { Commit, Created, readAnswer, Reference } from './answers.ts';
import type { Asset } from './github-client.ts';
import { repositoryName, type RepositoryName } from './repository-name.ts';

const tries = 5;

/** See `GithubClient.putAsset`. Somebody else's asset between reading the branch and moving it means: read again. */
export async function putAsset(
  octokit: Octokit,
  repository: string,
  asset: Asset,
): Promise<{ readonly commitSha: string }> {
  const name = repositoryName(repository);
  for (let number = 1; ; number += 1) {
    const head = await branchHead(octokit, name, asset.branch);
    if (head !== null && (await holds(octokit, name, head, asset.path))) return { commitSha: head };
    const commitSha = await commit(octokit, name, asset, head);
    try {
      await moveBranch(octokit, name, asset.branch, { from: head, to: commitSha });
      return { commitSha };
    } catch (error) {
      if (!isOutrun(error) || number === tries) throw error;
    }
    await sleep(number * (100 + Math.random() * 200));
  }
}

async function branchHead(octokit: Octokit, name: RepositoryName, branch: string): Promise<string | null> {
  try {
    const { data } = await octokit.rest.git.getRef({ ...name, ref: `heads/${branch}` });
    return readAnswer(Reference, data, `branch ${branch}`).object.sha;
  } catch (error) {
    if (error instanceof Failure && error.type === 'GithubNotFound') return null;
    throw error;
  }
}

async function holds(octokit: Octokit, name: RepositoryName, ref: string, path: string): Promise<boolean> {
  try {
    await octokit.rest.repos.getContent({ ...name, path, ref });
    return true;
  } catch (error) {
    if (error instanceof Failure && error.type === 'GithubNotFound') return false;
    throw error;
  }
}

async function commit(
  octokit: Octokit,
  name: RepositoryName,
  { path, bytes, message }: Asset,
  parent: string | null,
): Promise<string> {
  const { git } = octokit.rest;
  const content = Buffer.from(bytes).toString('base64');
  const blob = await git.createBlob({ ...name, content, encoding: 'base64' });
  const baseTree = parent === null ? null : await treeOf(octokit, name, parent);
  const tree = await git.createTree({
    ...name,
    tree: [{ path, mode: '100644', type: 'blob', sha: readAnswer(Created, blob.data, 'the new blob').sha }],
    ...(baseTree !== null && { base_tree: baseTree }),
  });
  const made = await git.createCommit({
    ...name,
    message,
    tree: readAnswer(Created, tree.data, 'the new tree').sha,
    parents: parent === null ? [] : [parent],
  });
  return readAnswer(Created, made.data, 'the new commit').sha;
}

async function treeOf(octokit: Octokit, name: RepositoryName, sha: string): Promise<string> {
  const { data } = await octokit.rest.git.getCommit({ ...name, commit_sha: sha });
  return readAnswer(Commit, data, `commit ${sha}`).tree.sha;
}

async function moveBranch(
  octokit: Octokit,
  name: RepositoryName,
  branch: string,
  { from, to }: { readonly from: string | null; readonly to: string },
): Promise<void> {
  if (from === null) {
    await octokit.rest.git.createRef({ ...name, ref: `refs/heads/${branch}`, sha: to });
  } else {
    await octokit.rest.git.updateRef({ ...name, ref: `heads/${branch}`, sha: to, force: false });
  }
}

/** 422: the branch is there by now, or is not an ancestor any more. */
function isOutrun(error: unknown): boolean {
  return error instanceof Failure && error.type === 'GithubInvalid';
}
