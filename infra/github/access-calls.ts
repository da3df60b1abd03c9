import type { Octokit } from '@octokit/rest';
import { z } from 'zod';

import { Failure } from '../failure.ts';
import type { GithubAppSettings } from '../settings.ts';
import { readAnswer } from './answers.ts';
import { repositoryName } from './repository-name.ts';

/** What GitHub tells of a credential. */
export type CredentialAccess =
  /** What every feature goes by, where there is one. */
  | {
      readonly kind: 'app';
      readonly login: string;
      /** Level by name of the permission, as the installation was given them. */
      readonly permissions: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: 'classic';
      readonly login: string;
      readonly scopes: readonly string[];
      readonly expires: string | null;
    }
  /** GitHub does not tell what such a token may do. */
  | { readonly kind: 'fine-grained'; readonly login: string; readonly expires: string | null }
  /** The token of an App or of Actions, given as if it were a person's. */
  | { readonly kind: 'installation-token' };

/** What the credential's user may do in a repository. */
export interface RepositoryAccess {
  readonly push: boolean;
  readonly admin: boolean;
  readonly archived: boolean;
  readonly defaultBranch: string;
}

export interface GithubAccess {
  readonly app: Extract<CredentialAccess, { kind: 'app' }> | null;
  readonly token: Exclude<CredentialAccess, { kind: 'app' }> | null;
  /** null when none was asked for. */
  readonly repository: RepositoryAccess | null;
  /** What it is called now, also when it was asked for by an older name. */
  readonly repositoryName: string | null;
  /** Whether this server takes pictures for comments. */
  readonly uploads: boolean;
}

export interface AccessCalls {
  /** Reads alone. Throws `GithubUnauthorized` for a credential that opens nothing, `RepositoryNotFound`. */
  readAccess(repository?: string): Promise<GithubAccess>;
}

const User = z.object({ login: z.string() });
const Installation = z.object({
  app_slug: z.string(),
  permissions: z.record(z.string(), z.string()),
  suspended_at: z.string().nullish(),
});
const Told = z.object({
  full_name: z.string(),
  archived: z.boolean().default(false),
  default_branch: z.string(),
  permissions: z.object({ push: z.boolean(), admin: z.boolean() }).optional(),
});

export interface AccessDeps {
  readonly app?: GithubAppSettings | undefined;
  readonly uploadsUrl?: string | undefined;
  /** By the token. */
  readonly person: Octokit | null;
  /** By what most is done with. */
  readonly octokit: Octokit;
}

export function accessCalls({ app, uploadsUrl, person, octokit }: AccessDeps): AccessCalls {
  return {
    async readAccess(repository) {
      const appAccess = app === undefined ? null : await readApp(octokit, app);
      const told = repository === undefined ? null : await readRepository(octokit, repository);
      return {
        app: appAccess,
        token: person === null ? null : await readToken(person),
        repositoryName: told?.full_name ?? null,
        repository: told === null ? null : toRepository(told, appAccess !== null),
        uploads: uploadsUrl !== undefined,
      };
    },
  };
}

async function readApp(
  octokit: Octokit,
  { installationId }: GithubAppSettings,
): Promise<NonNullable<GithubAccess['app']>> {
  const { data } = await octokit.rest.apps.getInstallation({ installation_id: installationId });
  const { app_slug, permissions, suspended_at } = readAnswer(
    Installation,
    data,
    `installation ${installationId}`,
  );
  if (suspended_at !== null && suspended_at !== undefined) {
    const words = `the installation ${installationId} of the App ${app_slug} was suspended on ${suspended_at}`;
    throw new Failure('GithubForbidden', `${words}: let its owner take it up again`);
  }
  return { kind: 'app', login: `${app_slug}[bot]`, permissions };
}

async function readToken(octokit: Octokit): Promise<NonNullable<GithubAccess['token']>> {
  let answer;
  try {
    answer = await octokit.rest.users.getAuthenticated();
  } catch (error) {
    // An App is no user.
    if (error instanceof Failure && error.type === 'GithubForbidden') return { kind: 'installation-token' };
    throw error;
  }
  const { login } = readAnswer(User, answer.data, 'GET /user');
  const headers: Readonly<Record<string, unknown>> = answer.headers;
  const expiry = headers['github-authentication-token-expiration'];
  const expires = typeof expiry === 'string' ? expiry : null;
  const scopes = headers['x-oauth-scopes'];
  // Only tokens with scopes are told of them, also of none.
  if (typeof scopes !== 'string') return { kind: 'fine-grained', login, expires };
  const list = scopes.split(',').map((scope) => scope.trim());
  return { kind: 'classic', login, scopes: list.filter((scope) => scope !== ''), expires };
}

async function readRepository(octokit: Octokit, repository: string): Promise<z.infer<typeof Told>> {
  try {
    const { data } = await octokit.rest.repos.get({ ...repositoryName(repository) });
    return readAnswer(Told, data, `GET ${repository}`);
  } catch (error) {
    if (!(error instanceof Failure) || error.type !== 'GithubNotFound') throw error;
    const words = `the repository ${repository} does not exist, or this credential may not see it`;
    throw new Failure(
      'RepositoryNotFound',
      `${words}: check the name (owner/name) and what GITHUB_TOKEN or the App may reach`,
      {
        cause: error.cause,
      },
    );
  }
}

/** Of an App GitHub tells nothing here: its permissions are the installation's. */
function toRepository(
  { archived, default_branch, permissions }: z.infer<typeof Told>,
  byApp: boolean,
): RepositoryAccess {
  return {
    push: byApp || (permissions?.push ?? false),
    admin: permissions?.admin ?? false,
    archived,
    defaultBranch: default_branch,
  };
}
