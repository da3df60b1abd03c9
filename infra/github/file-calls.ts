import type { Octokit } from '@octokit/rest';

import { Failure } from '../failure.ts';
import { Commit, Content, Created, readAnswer, Reference } from './answers.ts';
import { type RepositoryName, repositoryName } from './repository-name.ts';

export interface NewCommit {
  readonly branch: string;
  /** Commit that the branch begins at. */
  readonly parent: string;
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly message: string;
}

/** Files of a repository, without a clone. */
export interface FileCalls {
  /** Text of a file of a commit; null when there is none, or it is too large for GitHub to give. */
  readText(repository: string, ref: string, path: string): Promise<string | null>;
  /**
   * Makes a branch with one commit of these files. A branch that is there already and has exactly these contents on
   * this parent is as good; false when it holds anything else.
   */
  commitFiles(repository: string, commit: NewCommit): Promise<boolean>;
}

export function fileCalls(octokit: Octokit): FileCalls {
  return {
    async readText(repository, ref, path) {
      try {
        const { data } = await octokit.rest.repos.getContent({ ...repositoryName(repository), ref, path });
        const { content, encoding } = readAnswer(Content, data, `${path} of ${repository}`);
        return encoding === 'base64' ? Buffer.from(content, 'base64').toString('utf8') : null;
      } catch (error) {
        if (error instanceof Failure && error.type === 'GithubNotFound') return null;
        throw error;
      }
    },

    async commitFiles(repository, { branch, parent, files, message }) {
      const name = repositoryName(repository);
      const tree = await writeTree(octokit, name, parent, files);
      const { data } = await octokit.rest.git.createCommit({ ...name, message, tree, parents: [parent] });
      const { sha } = readAnswer(Created, data, 'the new commit');
      try {
        await octokit.rest.git.createRef({ ...name, ref: `refs/heads/${branch}`, sha });
        return true;
      } catch (error) {
        // 422: it is there already.
        if (!(error instanceof Failure) || error.type !== 'GithubInvalid') throw error;
        return (await treeOfBranch(octokit, name, branch)) === tree;
      }
    },
  };
}

async function writeTree(
  octokit: Octokit,
  name: RepositoryName,
  parent: string,
  files: NewCommit['files'],
): Promise<string> {
  const base = await octokit.rest.git.getCommit({ ...name, commit_sha: parent });
  const { data } = await octokit.rest.git.createTree({
    ...name,
    base_tree: readAnswer(Commit, base.data, `commit ${parent}`).tree.sha,
    tree: files.map(({ path, text }) => ({ path, mode: '100644', type: 'blob', content: text })),
  });
  return readAnswer(Created, data, 'the new tree').sha;
}

async function treeOfBranch(octokit: Octokit, name: RepositoryName, branch: string): Promise<string> {
  const { data } = await octokit.rest.git.getRef({ ...name, ref: `heads/${branch}` });
  const { sha } = readAnswer(Reference, data, `branch ${branch}`).object;
  const commit = await octokit.rest.git.getCommit({ ...name, commit_sha: sha });
  return readAnswer(Commit, commit.data, `commit ${sha}`).tree.sha;
}
