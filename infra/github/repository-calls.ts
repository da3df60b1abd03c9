import type { Octokit } from '@octokit/rest';

import { Failure } from '../failure.ts';
import { Branch, Content, Permission, readAnswer, Repository, Tree, User, ViewerAnswer } from './answers.ts';
import type { GithubClient, GithubUser } from './github-client.ts';
import { askGraphql } from './graphql.ts';
import { repositoryName } from './repository-name.ts';

type RepositoryCalls = Pick<
  GithubClient,
  | 'whoAmI'
  | 'checkRepository'
  | 'branchHead'
  | 'listFiles'
  | 'readReadme'
  | 'readFile'
  | 'mayWrite'
  | 'deleteBranch'
>;

const writers = new Set(['admin', 'maintain', 'write']);

/** What is asked of a repository and its people. */
export function repositoryCalls(octokit: Octokit): RepositoryCalls {
  let me: Promise<GithubUser> | undefined;
  return {
    async whoAmI() {
      me ??= askWhoIAm(octokit);
      try {
        return await me;
      } catch (error) {
        me = undefined;
        throw error;
      }
    },

    async checkRepository(repository) {
      try {
        const { data } = await octokit.rest.repos.get({ ...repositoryName(repository) });
        readAnswer(Repository, data, `GET ${repository}`);
      } catch (error) {
        throw renamed(
          error,
          'RepositoryNotFound',
          `the repository ${repository} does not exist, or the token may not see it: check the name (owner/name) and what GITHUB_TOKEN may reach`,
        );
      }
    },

    async branchHead(repository, branch) {
      try {
        const { data } = await octokit.rest.repos.getBranch({ ...repositoryName(repository), branch });
        return readAnswer(Branch, data, `branch ${branch} of ${repository}`).commit.sha;
      } catch (error) {
        throw renamed(
          error,
          'BaseBranchNotFound',
          `the branch "${branch}" does not exist in ${repository}: name an existing branch in "base", or push it first`,
        );
      }
    },

    async listFiles(repository, sha) {
      const { data } = await octokit.rest.git.getTree({
        ...repositoryName(repository),
        tree_sha: sha,
        recursive: '1',
      });
      const { tree } = readAnswer(Tree, data, `tree ${sha} of ${repository}`);
      return tree.filter(({ type }) => type === 'blob').map(({ path }) => path);
    },

    async readReadme(repository, ref) {
      const answer = await orNull(octokit.rest.repos.getReadme({ ...repositoryName(repository), ref }));
      if (answer === null) return null;
      const { content, encoding } = readAnswer(Content, answer.data, `README of ${repository}`);
      // Of a file above a megabyte GitHub gives no content.
      return encoding === 'base64' ? Buffer.from(content, 'base64').toString('utf8') : null;
    },

    async readFile(repository, path, ref) {
      const asked = { ...repositoryName(repository), path, ref };
      const answer = await orNull(octokit.rest.repos.getContent(asked));
      if (answer === null) return null;
      const { content, encoding } = readAnswer(Content, answer.data, `${path} of ${repository}`);
      return encoding === 'base64' ? Buffer.from(content, 'base64').toString('utf8') : null;
    },

    async mayWrite(repository, login) {
      const answer = await orNull(
        octokit.rest.repos.getCollaboratorPermissionLevel({ ...repositoryName(repository), username: login }),
      );
      if (answer === null) return false;
      const { permission } = readAnswer(Permission, answer.data, `permission of ${login} in ${repository}`);
      return writers.has(permission);
    },

    async deleteBranch(repository, branch) {
      try {
        await octokit.rest.git.deleteRef({ ...repositoryName(repository), ref: `heads/${branch}` });
      } catch (error) {
        const gone = error instanceof Failure && ['GithubInvalid', 'GithubNotFound'].includes(error.type);
        if (!gone) throw error;
      }
    },
  };
}

/** A GitHub App's token may not ask `/user`; GraphQL answers it. */
async function askWhoIAm(octokit: Octokit): Promise<GithubUser> {
  try {
    const { data } = await octokit.rest.users.getAuthenticated();
    return readAnswer(User, data, 'GET /user');
  } catch (error) {
    if (!(error instanceof Failure) || error.type !== 'GithubForbidden') throw error;
  }
  const { viewer } = await askGraphql(octokit, ViewerAnswer, 'query { viewer { login databaseId } }', {});
  return { id: viewer.databaseId, login: viewer.login };
}

function renamed(
  error: unknown,
  type: 'RepositoryNotFound' | 'BaseBranchNotFound',
  message: string,
): unknown {
  const notFound = error instanceof Failure && error.type === 'GithubNotFound';
  return notFound ? new Failure(type, message, { cause: error.cause }) : error;
}

async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Failure && error.type === 'GithubNotFound') return null;
    throw error;
  }
}
