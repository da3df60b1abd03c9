import type { GithubAccess } from './access-calls.ts';
import type { GithubClient } from './github-client.ts';

/** One thing that Hephaestus does on GitHub, and whether the credentials at hand can do it. */
export interface GithubFeature {
  /** Stable, for programs. */
  readonly id: FeatureId;
  /** For people, for example `open pull requests`. */
  readonly title: string;
  /** What it takes, in GitHub's own names, for example `pull_requests: write, or the scope repo`. */
  readonly needs: string;
  /** `unknown`: GitHub does not tell it of this kind of token; only trying does. */
  readonly state: 'yes' | 'no' | 'unknown';
  /** Which credential does it. */
  readonly by: 'app' | 'token' | null;
  /** For `no` and `unknown`: what is missing or cannot be told, and what to do. '' for `yes`. */
  readonly missing: string;
  /** What Hephaestus does without it; null when it cannot work without. */
  readonly without: string | null;
}

export type FeatureId = (typeof features)[number]['id'];

type Permission = readonly [name: string, level: 'read' | 'write'];

interface Definition {
  readonly id: string;
  readonly title: string;
  /** Of an App or a fine-grained token; any one of them is enough. */
  readonly permissions: readonly Permission[];
  /** Of a classic token; any one of them is enough. */
  readonly scopes: readonly string[];
  /** Who can do it at all. */
  readonly who: 'both' | 'app' | 'token';
  readonly push: boolean;
  readonly without: string | null;
}

const everywhere = { scopes: ['repo'], who: 'both', push: true, without: null } as const;

const features = [
  {
    ...everywhere,
    id: 'read',
    title: 'read code and pull requests',
    permissions: [['contents', 'read']],
    push: false,
  },
  {
    ...everywhere,
    id: 'read-permissions',
    title: "look up people's permissions",
    permissions: [['metadata', 'read']],
  },
  {
    ...everywhere,
    id: 'open-pull-request',
    title: 'open pull requests',
    permissions: [['pull_requests', 'write']],
  },
  {
    ...everywhere,
    id: 'comment',
    title: 'comment, react and label',
    permissions: [
      ['issues', 'write'],
      ['pull_requests', 'write'],
    ],
    push: false,
  },
  { ...everywhere, id: 'merge', title: 'merge and delete branches', permissions: [['contents', 'write']] },
  {
    ...everywhere,
    id: 'status',
    title: 'publish the gate as a commit status',
    permissions: [['statuses', 'write']],
    scopes: ['repo', 'repo:status'],
  },
  {
    ...everywhere,
    id: 'check-run',
    title: 'publish the gate as a check run',
    permissions: [['checks', 'write']],
    scopes: [],
    who: 'app',
    without: 'a commit status says the same in one line',
  },
  { ...everywhere, id: 'read-checks', title: 'read check runs', permissions: [['checks', 'read']] },
  {
    ...everywhere,
    id: 'request-copilot',
    title: "ask for Copilot's review",
    permissions: [['pull_requests', 'write']],
    who: 'token',
    without: 'the gate goes on after its deadline and says that there was no review',
  },
  {
    ...everywhere,
    id: 'upload-picture',
    title: 'upload pictures for comments',
    permissions: [['contents', 'write']],
    who: 'token',
    without: 'pictures go to a branch of the repository',
  },
  {
    ...everywhere,
    id: 'assets-branch',
    title: 'keep pictures on a branch',
    permissions: [['contents', 'write']],
  },
  {
    ...everywhere,
    id: 'write-workflows',
    title: 'propose workflows of Actions (hephaestus adopt)',
    permissions: [['workflows', 'write']],
    scopes: ['workflow'],
    without: 'everything but adopt works',
  },
] as const satisfies readonly Definition[];

/**
 * What Hephaestus does on GitHub, what each of it needs, and whether the client's credentials have it. Reads alone: what
 * GitHub does not tell is `unknown`, never tried. With a repository (`owner/name`) the rights there are looked at too.
 *
 * Throws as `readAccess` does: `GithubUnauthorized`, `RepositoryNotFound`, `GithubUnavailable`.
 */
export async function githubFeatures(
  client: GithubClient,
  repository?: string,
): Promise<readonly GithubFeature[]> {
  return judgeFeatures(await client.readAccess(repository), repository);
}

/** The same from what was read. */
export function judgeFeatures(access: GithubAccess, repository = 'the repository'): readonly GithubFeature[] {
  return features.map((feature) => {
    const { id, title, without } = feature;
    return { id, title, without, needs: describeNeeds(feature), ...judge(feature, access, repository) };
  });
}

type Verdict = Pick<GithubFeature, 'state' | 'by' | 'missing'>;

function judge(feature: Definition, access: GithubAccess, repository: string): Verdict {
  const by = doer(feature, access);
  const no = (missing: string): Verdict => ({ state: 'no', by, missing });
  if (by === null) {
    return no(
      feature.who === 'app' ? 'only a GitHub App can: set GITHUB_APP_ID' : 'no App can: set GITHUB_TOKEN',
    );
  }
  if (access.repository?.archived === true && writes(feature)) return no(`${repository} is archived`);
  if (feature.id === 'upload-picture' && !access.uploads) return no('this server takes no uploads');
  if (feature.push && access.repository !== null && !access.repository.push) {
    return no(`${ownerOf(access)} may not write to ${repository}: let its owner give write access`);
  }
  if (by === 'app') return ofPermissions(feature, access.app?.permissions ?? {});
  return ofToken(feature, access.token);
}

function doer({ who }: Definition, { app, token }: GithubAccess): 'app' | 'token' | null {
  if (who !== 'token' && app !== null) return 'app';
  if (who !== 'app' && token !== null) return 'token';
  return null;
}

function ofPermissions({ permissions }: Definition, held: Readonly<Record<string, string>>): Verdict {
  const has = permissions.some(
    ([name, level]) => held[name] === 'write' || held[name] === 'admin' || held[name] === level,
  );
  if (has) return { state: 'yes', by: 'app', missing: '' };
  const missing = `the App needs ${words(permissions)}: add it in the App's settings, and let its owner accept it`;
  return { state: 'no', by: 'app', missing };
}

function ofToken(feature: Definition, token: GithubAccess['token']): Verdict {
  if (token?.kind === 'classic') {
    const has = feature.scopes.some((scope) => token.scopes.includes(scope));
    const missing = `the token needs the scope ${feature.scopes.join(' or ')}, and has ${token.scopes.join(', ') || 'none'}`;
    return has ? { state: 'yes', by: 'token', missing: '' } : { state: 'no', by: 'token', missing };
  }
  const kind = token?.kind === 'fine-grained' ? 'a fine-grained token' : 'a token of an App';
  if (feature.who === 'token' && token?.kind === 'installation-token') {
    return { state: 'no', by: 'token', missing: "only a person's token can: set GITHUB_TOKEN to one" };
  }
  const missing = `GitHub does not tell what ${kind} may do: see that it has ${words(feature.permissions)}`;
  return { state: 'unknown', by: 'token', missing };
}

function ownerOf({ app, token }: GithubAccess): string {
  if (app !== null) return app.login;
  return token !== null && 'login' in token ? token.login : 'the token';
}

function writes({ permissions }: Definition): boolean {
  return permissions.some(([, level]) => level === 'write');
}

function words(permissions: readonly Permission[]): string {
  return permissions.map(([name, level]) => `${name}: ${level}`).join(' or ');
}

function describeNeeds({ permissions, scopes, who }: Definition): string {
  const scope = scopes.length === 0 ? '' : `, or the scope ${scopes.join(' or ')}`;
  const whose = { app: ' of a GitHub App', token: " of a person's token", both: '' }[who];
  return `${words(permissions)}${whose}${scope}`;
}
