import type { GithubClient } from '../../infra/github/github-client.ts';
import type { RepositoryDescription, RepositoryInput } from './interface.ts';

const mostFiles = 500;
const longestReadme = 20_000;

/** Throws `RepositoryNotFound` or `BaseBranchNotFound`. */
export async function describeRepository(
  github: GithubClient,
  { repository, base }: RepositoryInput,
): Promise<RepositoryDescription> {
  await github.checkRepository(repository);
  const baseSha = await github.branchHead(repository, base);
  const files = await github.listFiles(repository, baseSha);
  const readme = await github.readReadme(repository, baseSha);
  return { baseSha, files: files.slice(0, mostFiles), readme: (readme ?? '').slice(0, longestReadme) };
}
