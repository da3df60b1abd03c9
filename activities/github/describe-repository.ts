import type { GithubClient } from '../../infra/github/github-client.ts';
import type { RepositoryDescription, RepositoryInput } from './interface.ts';

const mostFiles = 500;
const longestReadme = 20_000;
const mostDocuments = 8;

/** The last experiment's task note, notes that are kept as examples, instructions for whoever works here, the project. */
const telling =
  /^(?:QWEN_TASK[\w.-]*\.md|(?:\.github|\.hephaestus|docs|examples)\/[\w./-]*task[\w.-]*\.md|\.github\/copilot-instructions\.md|AGENTS\.md|CONTRIBUTING\.md|pyproject\.toml)$/i;

/** Throws `RepositoryNotFound` or `BaseBranchNotFound`. */
export async function describeRepository(
  github: GithubClient,
  { repository, base }: RepositoryInput,
): Promise<RepositoryDescription> {
  await github.checkRepository(repository);
  const baseSha = await github.branchHead(repository, base);
  const files = await github.listFiles(repository, baseSha);
  const readme = await github.readReadme(repository, baseSha);
  const documents: { path: string; text: string }[] = [];
  for (const path of files.filter((file) => telling.test(file)).slice(0, mostDocuments)) {
    const text = await github.readFile(repository, path, baseSha);
    if (text !== null) documents.push({ path, text: text.slice(0, longestReadme) });
  }
  return {
    baseSha,
    files: files.slice(0, mostFiles),
    readme: (readme ?? '').slice(0, longestReadme),
    documents,
  };
}
