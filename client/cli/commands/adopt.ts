import type { Command } from 'commander';

import { loadGithubConfig } from '../../../infra/config/load-config.ts';
import { Failure } from '../../../infra/failure.ts';
import { createGithubClient } from '../../../infra/github/create-github-client.ts';
import { type Adoption, adoptRepository } from '../../adopt/adopt-repository.ts';
import { ClientError, type ClientErrorKind } from '../../client-error.ts';
import { UsageError } from '../cli-errors.ts';
import { run, withJson, type CliContext, type DataOptions } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';

/** `adopt`: proposes to a repository what experiments in it need. */
export function addAdopt(program: Command, context: CliContext): void {
  withJson(program.command('adopt <owner/name>'))
    .description(
      'opens a pull request that gives an experiment repository its review instructions, a workflow for static analysis and an example of a task note; again: changes nothing',
    )
    .action(async (repository: string, options: DataOptions) => {
      await run(context, options, async (output) => {
        if (!/^[\w.-]+\/[\w.-]+$/.test(repository)) {
          throw new UsageError(
            `"${repository}" is not a repository; expected owner/name, for example lab/digits`,
          );
        }
        const github = createGithubClient(loadGithubConfig(context));
        const adoption = await told(() => adoptRepository(github, repository));
        output.answer(adoption, linesOf(adoption));
        return exitCodes.done;
      });
    });
}

function linesOf({ status, repository, pullRequest, files, checks }: Adoption): string[] {
  const last = `Then set HEPHAESTUS_REQUIRED_CHECKS=${checks.join(',')}`;
  switch (status) {
    case 'opened':
      return [
        `Opened: ${pullRequest?.url ?? ''}`,
        ...files.map((path) => `  ${path}`),
        `Read it and merge it. ${last}`,
      ];
    case 'open':
      return [
        `Open already, nothing was changed: ${pullRequest?.url ?? ''}`,
        `Read it and merge it. ${last}`,
      ];
    case 'adopted':
      return [
        `${repository} has all of it already, nothing was changed.`,
        ...(pullRequest === null ? [] : [`It came with ${pullRequest.url}`]),
      ];
  }
}

const kinds: Readonly<Record<string, ClientErrorKind>> = {
  RepositoryNotFound: 'not-found',
  BaseBranchNotFound: 'refused',
  GithubNotFound: 'refused',
  GithubUnauthorized: 'refused',
  GithubForbidden: 'refused',
  GithubInvalid: 'refused',
  GithubRateLimited: 'unreachable',
  GithubUnavailable: 'unreachable',
};

/** What GitHub's client throws, as an exit code knows it. */
async function told<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const kind = error instanceof Failure ? kinds[error.type] : undefined;
    if (kind === undefined || !(error instanceof Failure)) throw error;
    throw new ClientError(kind, error.message, error);
  }
}
