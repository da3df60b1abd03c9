import { createGithubClient } from '../../infra/github/create-github-client.ts';
import type { GithubSettings } from '../../infra/settings.ts';
import { good, type Check, type Finding } from './finding.ts';

const system = 'github' as const;

/** Whom the credential belongs to, and what it may do with the repository, where one is named. */
export function checkGithub(
  settings: GithubSettings,
  repository: string | undefined,
  timeoutMs: number,
): Check {
  return {
    system,
    look: async () => {
      const github = createGithubClient(settings, { timeoutMs });
      const { login } = await github.whoAmI();
      const known = good(system, `${settings.apiUrl} knows the credential as ${login}`);
      if (repository === undefined) return [known];
      await github.checkRepository(repository);
      return [known, ...rights(repository, login, await github.mayWrite(repository, login))];
    },
  };
}

function rights(repository: string, login: string, mayWrite: boolean): Finding[] {
  if (mayWrite) return [good(system, `${login} may write to ${repository}`)];
  return [
    {
      system,
      status: 'bad',
      what: `${login} may read ${repository} and not write to it`,
      why: 'branches, pull requests and merges need it',
      todo: 'give the account, or the token, write access to contents, pull requests and commit statuses',
    },
  ];
}
