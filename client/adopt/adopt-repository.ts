import { Failure } from '../../infra/failure.ts';
import { judgeFeatures } from '../../infra/github/features.ts';
import type { GithubClient, PullRequest } from '../../infra/github/github-client.ts';
import { renderTemplate } from '../../infra/templates/render-template.ts';
import { ClientError } from '../client-error.ts';
import { type AdoptionFacts, readFacts } from './adoption-facts.ts';
import {
  adoptionChecks,
  type AdoptionFile,
  adoptionFiles,
  areOwnInstructions,
  instructions,
} from './adoption-files.ts';

/** Not below `hephaestus/`, where each branch is an experiment. */
const adoptionBranch = 'hephaestus-adopt';

const title = 'Make this repository ready for experiments with Hephaestus';

/**
 * - `opened`: the pull request was made now
 * - `open`: it is there and waits for somebody
 * - `adopted`: the base branch has all files; nothing to do
 */
export interface Adoption {
  readonly status: 'opened' | 'open' | 'adopted';
  /** owner/name as it is called now. */
  readonly repository: string;
  /** null when there never was one: somebody else put the files there. */
  readonly pullRequest: { readonly number: number; readonly url: string } | null;
  /** Paths that are proposed. */
  readonly files: readonly string[];
  /** For `HEPHAESTUS_REQUIRED_CHECKS`. */
  readonly checks: readonly string[];
}

/**
 * Proposes to a repository what experiments in it need. A repeat finds what was done: branch and pull request by name,
 * and files of the base branch as they are.
 *
 * Throws `ClientError`: `not-found` for a repository that is not there, `refused` where it is archived, the credential
 * may not write, or somebody closed the pull request unmerged; and `Failure` for what else GitHub answers.
 */
export async function adoptRepository(github: GithubClient, asked: string): Promise<Adoption> {
  const access = await github.readAccess(asked);
  const repository = access.repositoryName ?? asked;
  const base = access.repository?.defaultBranch ?? 'main';
  const baseSha = await github.branchHead(repository, base);
  const paths = await github.listFiles(repository, baseSha);
  const text = async (path: string): Promise<string | null> =>
    paths.includes(path) ? github.readText(repository, baseSha, path) : null;
  const facts = readFacts({
    repository,
    base,
    files: paths,
    pyproject: await text('pyproject.toml'),
    ownInstructions: areOwnInstructions(await text(instructions)),
  });
  const present = new Set(paths);
  const files = adoptionFiles(facts, present);
  const before = await github.listPullRequestsOf(repository, adoptionBranch);
  const answer = (status: Adoption['status'], pullRequest: PullRequest | undefined): Adoption => ({
    status,
    repository,
    pullRequest: pullRequest === undefined ? null : { number: pullRequest.number, url: pullRequest.url },
    files: status === 'adopted' ? [] : files.map(({ path }) => path),
    checks: adoptionChecks(facts),
  });

  if (files.length === 0)
    return answer(
      'adopted',
      before.find(({ state }) => state === 'merged'),
    );
  const open = before.find(({ state }) => state === 'open');
  if (open !== undefined) return answer('open', open);
  assertMay(judgeFeatures(access, repository));
  assertNotDeclined(before);
  await putBranch(github, repository, baseSha, files);
  return answer('opened', await openPullRequest(github, facts, files, present));
}

const needed = new Set(['open-pull-request', 'merge', 'write-workflows']);

function assertMay(features: ReturnType<typeof judgeFeatures>): void {
  const missing = features
    .filter(({ id, state }) => needed.has(id) && state === 'no')
    .map((one) => one.missing);
  if (missing.length > 0)
    throw new ClientError('refused', `This cannot be proposed: ${[...new Set(missing)].join('; ')}`);
}

/** Somebody who closed it has said no. */
function assertNotDeclined([newest]: readonly PullRequest[]): void {
  if (newest?.state !== 'closed') return;
  const words = `${newest.url} was closed without a merge, so it is not proposed again`;
  throw new ClientError('refused', `${words}: reopen it there if it is wanted after all`);
}

/** A branch of this name that holds something else is somebody's, or is left from an earlier proposal. */
async function putBranch(
  github: GithubClient,
  repository: string,
  baseSha: string,
  files: readonly AdoptionFile[],
): Promise<void> {
  const message = `${title}\n\nProposed by hephaestus adopt.`;
  const made = await github.commitFiles(repository, {
    branch: adoptionBranch,
    parent: baseSha,
    files,
    message,
  });
  if (made) return;
  const words = `the branch ${adoptionBranch} of ${repository} is there already and holds something else`;
  throw new ClientError('refused', `${words}: delete it, then run this again`);
}

async function openPullRequest(
  github: GithubClient,
  facts: AdoptionFacts,
  files: readonly AdoptionFile[],
  present: ReadonlySet<string>,
): Promise<PullRequest> {
  const kept = [...present].filter((path) => path === instructions);
  const body = renderTemplate('adopt/pull-request.md.njk', {
    ...facts,
    files,
    kept,
    checks: adoptionChecks(facts),
  });
  try {
    return await github.createPullRequest(facts.repository, {
      title,
      body,
      head: adoptionBranch,
      base: facts.base,
    });
  } catch (error) {
    // Somebody else ran this in the same moment.
    const [newest] = await github.listPullRequestsOf(facts.repository, adoptionBranch);
    if (error instanceof Failure && error.type === 'GithubInvalid' && newest?.state === 'open') return newest;
    throw error;
  }
}
