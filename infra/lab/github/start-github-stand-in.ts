import { randomBytes } from 'node:crypto';

import fastify from 'fastify';

import type { StandIn, StandInOptions } from '../stand-in.ts';
import { addAppRoutes, appLogin, newApp } from './app-routes.ts';
import { addAssetRoutes } from './asset-routes.ts';
import { addBranchRoutes } from './branch-routes.ts';
import { addCheckRunRoutes } from './check-run-routes.ts';
import { addCommentRoutes } from './comment-routes.ts';
import { copilotLogin, type CopilotScript, nothingToSay, startCopilot } from './copilot.ts';
import { createFaultQueue, type FaultQueue } from './faults.ts';
import { addGitDataRoutes } from './git-data-routes.ts';
import { addGitRoutes } from './git-http.ts';
import { addGraphqlRoutes } from './graphql-routes.ts';
import { addHook, addHookRoutes } from './hook-routes.ts';
import { catchUp, createLab, type Lab, newToken } from './lab.ts';
import { addLabelRoutes } from './label-routes.ts';
import { addLabRepositoryRoutes, type CheckRunSeed, setCheckRun } from './lab-repository-routes.ts';
import { addLabRoutes } from './lab-routes.ts';
import { addPages } from './pages.ts';
import { addPullRoutes } from './pull-routes.ts';
import { addRepositoryRoutes } from './repository-routes.ts';
import { addReviewRoutes } from './review-routes.ts';
import { repositoryRouter } from './router.ts';
import { type SeededRepository, seedRepository, type SeedRepository } from './seed-repository.ts';
import { type Access, type LabState, type LabToken, openState } from './state.ts';
import { createRateLimit } from './rate-limit.ts';
import { createStats } from './stats.ts';
import { addStatusRoutes } from './status-routes.ts';
import { type Answered, addTransport } from './transport.ts';
import { addUserRoutes } from './user-routes.ts';
import { startWebhooks } from './webhooks.ts';

interface SeedUser {
  readonly login: string;
  /** What the user may do in the repositories that are seeded. */
  readonly access: Access | 'none';
  readonly tokens?: readonly { readonly token: string; readonly use: LabToken['use'] }[];
}

export interface GithubStandInOptions extends StandInOptions {
  /** Beside the lab's own: `hephaestus` (write), `pi` (admin), `reader` (read). */
  readonly users?: readonly SeedUser[];
  readonly repositories?: readonly SeedRepository[];
  /** What Copilot says; nothing to remark when it is not given. */
  readonly copilot?: CopilotScript;
  readonly copilotDelayMs?: number;
  /** Sees every answer of the API that no fault has met, before it is sent. */
  readonly observe?: (answered: Answered) => void;
}

export interface GithubStandIn extends StandIn {
  /** A token for the API and git by login: `hephaestus`, `pi`, `reader` and the users given with one. */
  readonly tokens: Readonly<Record<string, string>>;
  /** For a product that signs in as the lab's GitHub App, instead of `GITHUB_TOKEN` or beside it. */
  readonly appSettings: Readonly<Record<string, string>>;
  readonly faults: FaultQueue;
  seedRepository(seed: SeedRepository): Promise<SeededRepository>;
  /** Delivers the events of every repository there, signed with `GITHUB_WEBHOOK_SECRET`. */
  addHook(url: string): void;
  /** Sets a check run on a commit, as a GitHub App such as Actions would. */
  setCheckRun(repository: string, run: CheckRunSeed): void;
}

const largestBody = 100 * 1024 * 1024;

/** A stand-in of GitHub on real bare repositories: REST, GraphQL, git over HTTP, webhooks, and pages for people. */
export async function startGithubStandIn(options: GithubStandInOptions): Promise<GithubStandIn> {
  const stateFile = openState(options.directory, () => initialState(options.users ?? []));
  const lab = createLab(options.directory, stateFile);
  addApp(lab);
  await catchUp(lab);
  const faults = createFaultQueue();
  const webhooks = startWebhooks(lab, faults);
  const copilot = startCopilot(lab, {
    script: options.copilot ?? nothingToSay,
    delayMs: options.copilotDelayMs ?? 1000,
  });
  const server = fastify({
    bodyLimit: largestBody,
    forceCloseConnections: true,
    // Where a repository was renamed, its number leads to it.
    rewriteUrl: ({ url = '' }) => byName(lab, url),
    routerOptions: { maxParamLength: 500 },
  });
  const rate = createRateLimit();
  const stats = createStats();
  addTransport(server, lab, { faults, rate, stats, observe: options.observe });
  const route = repositoryRouter(server, lab);
  addUserRoutes(server, lab, rate);
  addAppRoutes(server, lab);
  addRepositoryRoutes(route, lab);
  addBranchRoutes(route, lab);
  addGitDataRoutes(route, lab);
  addPullRoutes(route, lab, copilot);
  addReviewRoutes(route, lab);
  addCommentRoutes(route, lab);
  addLabelRoutes(route, lab);
  addStatusRoutes(route, lab);
  addCheckRunRoutes(route, lab);
  addHookRoutes(route, lab, webhooks);
  addGraphqlRoutes(server, lab);
  addGitRoutes(server, lab);
  addAssetRoutes(server, lab, options.directory);
  addLabRoutes(server, lab, { faults, rate, stats, webhooks });
  addLabRepositoryRoutes(server, lab);
  addPages(server, lab);
  lab.url = await server.listen({ host: '127.0.0.1', port: options.port ?? 0 });

  const collaborators = accessOfSeeds(options.users ?? []);
  const standIn = describeStandIn(lab, faults, collaborators, async () => {
    await copilot.close();
    await server.close();
    await webhooks.close();
    await lab.saved();
  });
  for (const repository of options.repositories ?? []) await standIn.seedRepository(repository);
  return standIn;
}

function describeStandIn(
  lab: Lab,
  faults: FaultQueue,
  collaborators: Readonly<Record<string, Access>>,
  close: () => Promise<void>,
): GithubStandIn {
  const { tokens, webhookSecret } = lab.state;
  const tokenOf = (login: string, use: LabToken['use']): string =>
    tokens.find((token) => token.login === login && token.use === use)?.token ?? '';
  const hookUrls = new Set(lab.state.repositories.flatMap(({ hooks }) => hooks.map(({ url }) => url)));
  const hookEverywhere = (url: string): void => {
    for (const repository of lab.state.repositories) {
      if (repository.hooks.some((hook) => hook.url === url)) continue;
      addHook(lab, repository, { url, secret: webhookSecret, events: ['*'], active: true });
    }
  };
  return {
    name: 'github',
    url: lab.url,
    settings: {
      GITHUB_API_URL: lab.url,
      GITHUB_SERVER_URL: lab.url,
      GITHUB_TOKEN: tokenOf('hephaestus', 'api'),
      GITHUB_PUSH_TOKEN: tokenOf('hephaestus', 'push'),
      GITHUB_UPLOADS_URL: lab.url,
      GITHUB_WEBHOOK_SECRET: webhookSecret,
    },
    appSettings: {
      GITHUB_APP_ID: String(lab.state.app?.id ?? ''),
      GITHUB_APP_PRIVATE_KEY: lab.state.app?.privateKey ?? '',
      GITHUB_APP_INSTALLATION_ID: String(lab.state.app?.installationId ?? ''),
    },
    tokens: Object.fromEntries(
      tokens.filter(({ use }) => use === 'api').map(({ login, token }) => [login, token]),
    ),
    faults,
    async seedRepository(seed) {
      const seeded = await seedRepository(lab, seed, collaborators);
      for (const url of hookUrls) hookEverywhere(url);
      lab.save();
      await lab.saved();
      return seeded;
    },
    addHook(url) {
      hookUrls.add(url);
      hookEverywhere(url);
      lab.save();
    },
    setCheckRun(name, run) {
      const [owner = '', repo = ''] = name.split('/');
      const repository = lab.find(owner, repo);
      if (repository === undefined) throw new Error(`no repository ${name} in the lab`);
      setCheckRun(lab, repository, run);
    },
    close,
  };
}

/** `/repositories/{id}` becomes `/repos/{owner}/{name}`. */
function byName(lab: Lab, url: string): string {
  const [, prefix = '', id = '', below = ''] = /^(\/api\/v3)?\/repositories\/(\d+)(.*)$/.exec(url) ?? [];
  const repository = lab.state.repositories.find((one) => one.id === Number(id));
  return repository === undefined ? url : `${prefix}/repos/${repository.owner}/${repository.name}${below}`;
}

const ownUsers: readonly SeedUser[] = [
  { login: 'hephaestus', access: 'write' },
  { login: 'pi', access: 'admin' },
  { login: 'reader', access: 'read' },
];

function accessOfSeeds(users: readonly SeedUser[]): Record<string, Access> {
  return Object.fromEntries(
    [...ownUsers, ...users].flatMap(({ login, access }) =>
      access === 'none' ? [] : [[login, access] as const],
    ),
  );
}

/** The lab's own App, with its bot as a user. */
function addApp(lab: Lab): void {
  const { state } = lab;
  state.app ??= newApp(lab.nextId(), lab.nextId());
  const login = appLogin(state.app);
  if (lab.user(login).id === 0)
    state.users.push({ id: lab.nextId(), login, type: 'Bot', everywhere: 'write' });
}

/** The ids of the two bots are GitHub's own. */
function initialState(users: readonly SeedUser[]): LabState {
  const known = new Set(users.map(({ login }) => login));
  const all = [...ownUsers.filter(({ login }) => !known.has(login)), ...users];
  return {
    nextId: 1000 + all.length,
    webhookSecret: randomBytes(20).toString('hex'),
    users: [
      { id: 175_728_472, login: copilotLogin, type: 'Bot' },
      { id: 41_898_282, login: 'github-actions[bot]', type: 'Bot' },
      ...all.map(({ login }, index) => ({ id: 1001 + index, login, type: 'User' as const })),
    ],
    tokens: [
      { token: newToken('ghpush'), login: 'hephaestus', use: 'push' },
      ...all.flatMap(({ login, tokens }) =>
        (tokens ?? [{ token: newToken('ghp'), use: 'api' as const }]).map((token) => ({ ...token, login })),
      ),
    ],
    repositories: [],
  };
}
