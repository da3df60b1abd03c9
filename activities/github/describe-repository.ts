import { isTaskNotePath } from '../../domain/ids.ts';
import type { GithubClient } from '../../infra/github/github-client.ts';
import type { RepositoryDescription, RepositoryInput } from './interface.ts';

const mostFiles = 500;
const longestReadme = 20_000;
const mostDocuments = 8;
/** Every merged experiment leaves one: a few show how they are made here. */
const mostNotes = 2;

/** A person's task note, notes that are kept as examples, instructions for whoever works here, the project. */
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
  const told = files.filter((file) => telling.test(file)).slice(0, mostDocuments);
  const notes = files.filter(isTaskNotePath).slice(0, mostNotes);
  for (const path of [...told, ...notes]) {
    const text = await github.readFile(repository, path, baseSha);
    if (text !== null) documents.push({ path, text: text.slice(0, longestReadme) });
  }
  return {
    baseSha,
    files: files.filter((file) => !isTaskNotePath(file)).slice(0, mostFiles),
    readme: (readme ?? '').slice(0, longestReadme),
    documents,
  };
}
