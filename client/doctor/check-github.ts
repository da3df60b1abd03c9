import { createGithubClient } from '../../infra/github/create-github-client.ts';
import { githubFeatures, type GithubFeature } from '../../infra/github/features.ts';
import type { GithubSettings } from '../../infra/settings.ts';
import { good, type Check, type Finding } from './finding.ts';

const system = 'github' as const;

/** Whom the credential belongs to, and what it may do: with the repository, where one is named. */
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
      if (repository !== undefined) await github.checkRepository(repository);
      return [known, ...featureFindings(await githubFeatures(github, repository))];
    },
  };
}

/** One line for all that works, one for each that does not, with what is done instead, and one for what GitHub does not tell. */
export function featureFindings(features: readonly GithubFeature[]): Finding[] {
  const inState = (state: GithubFeature['state']) => features.filter((feature) => feature.state === state);
  const can = inState('yes');
  return [
    ...(can.length === 0 ? [] : [good(system, `it can ${titles(can)}`)]),
    ...inState('no').map(cannot),
    ...untold(inState('unknown')),
  ];
}

function cannot({ title, needs, missing, without }: GithubFeature): Finding {
  if (without !== null)
    return good(system, `it does without one thing, to ${title}: ${without} (${missing})`);
  return {
    system,
    status: 'bad',
    what: `it cannot ${title}, which needs ${needs}`,
    why: 'no experiment gets from its branch to its merge without it',
    todo: missing,
  };
}

function untold(features: readonly GithubFeature[]): Finding[] {
  if (features.length === 0) return [];
  return [
    {
      system,
      status: 'warning',
      what: `GitHub does not tell of this kind of token whether it can ${titles(features)}`,
      why: 'what it lacks shows at the first try',
      todo: `look at the token's own page: ${[...new Set(features.map(({ needs }) => needs))].join('; ')}`,
    },
  ];
}

function titles(features: readonly GithubFeature[]): string {
  return features.map(({ title }) => title).join(', ');
}
