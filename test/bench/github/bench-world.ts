import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Client, Connection } from '@temporalio/client';
import { execa } from 'execa';

import { processEnvironment } from '../../../infra/env.ts';
import { freePort } from '../../../infra/free-port.ts';
import { type GithubStandIn, startGithubStandIn } from '../../../infra/lab/github/start-github-stand-in.ts';
import { startDevServer } from '../../../infra/temporal/dev-server.ts';
import { ensureSearchAttributes } from '../../../infra/temporal/search-attributes.ts';
import type { Tools } from '../../../infra/tools/ensure-tools.ts';
import type { WorkerSettings } from './worker-settings.ts';
import { bundledWorkflows } from '../../support/temporal-environment.ts';

export const repository = 'lab/digits';

/** A real Temporal server, the lab's GitHub with a commit for each experiment, and the product's webhook server. */
export interface BenchWorld {
  readonly client: Client;
  readonly lab: GithubStandIn;
  readonly bundleFile: string;
  readonly settings: WorkerSettings;
  /** A commit of somebody else on top of each experiment's own, by the experiment's id. */
  readonly foreign: Readonly<Record<string, string>>;
  readonly pi: { readonly apiUrl: string; readonly token: string };
  close(): Promise<void>;
}

export async function openBenchWorld(
  tools: Pick<Tools, 'temporal'>,
  ids: readonly string[],
): Promise<BenchWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'hephaestus-bench-github-'));
  const seed = join(directory, 'seed');
  await mkdir(seed);
  await writeFile(join(seed, 'README.md'), '# Digits\n');
  const [server, workflowBundle, lab] = await Promise.all([
    startDevServer({ temporal: tools.temporal }),
    bundledWorkflows(),
    startGithubStandIn({
      directory: join(directory, 'github'),
      copilotDelayMs: 200,
      repositories: [{ owner: 'lab', name: 'digits', from: seed, message: 'Begin' }],
    }),
  ]);
  const commits = await makeCommits(join(directory, 'work'), lab, ids);
  const connection = await Connection.connect({ address: server.address });
  await ensureSearchAttributes(connection, server.namespace);
  const stopWebhook = await startWebhook(directory, server.address, lab);
  const apiUrl = lab.settings['GITHUB_API_URL'] ?? '';
  return {
    client: new Client({ connection, namespace: server.namespace }),
    lab,
    bundleFile: workflowBundle.codePath,
    settings: {
      address: server.address,
      namespace: server.namespace,
      bundleFile: workflowBundle.codePath,
      github: { apiUrl, serverUrl: lab.url, token: lab.settings['GITHUB_TOKEN'] ?? '' },
      repository,
      heads: commits.heads,
    },
    foreign: commits.foreign,
    pi: { apiUrl, token: lab.tokens['pi'] ?? '' },
    close: async () => {
      await stopWebhook();
      await connection.close();
      await server.close();
      await lab.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** All commits in one push, under refs that no pull request looks at. */
async function makeCommits(work: string, lab: GithubStandIn, ids: readonly string[]) {
  const address = `${lab.url.replace('://', `://x-access-token:${lab.settings['GITHUB_PUSH_TOKEN'] ?? ''}@`)}/${repository}.git`;
  await execa('git', ['clone', '-q', address, work]);
  const commands = ids.flatMap((id) => [
    ...commitOf(`refs/bench/${id}`, 'refs/heads/main', id, 'own', `${id}.py`),
    ...commitOf(`refs/bench/${id}-foreign`, `refs/bench/${id}`, id, 'foreign', `${id}-foreign.py`),
  ]);
  await execa('git', ['fast-import', '--quiet'], { cwd: work, input: commands.join('\n') });
  await execa('git', ['push', '-q', 'origin', 'refs/bench/*:refs/bench/*'], { cwd: work });
  const { stdout } = await execa(
    'git',
    ['for-each-ref', '--format=%(objectname) %(refname:lstrip=2)', 'refs/bench'],
    { cwd: work },
  );
  const shas = new Map(
    stdout.split('\n').map((line) => {
      const [sha = '', name = ''] = line.split(' ');
      return [name, sha];
    }),
  );
  const named = (suffix: string) =>
    Object.fromEntries(ids.map((id) => [id, shas.get(`${id}${suffix}`) ?? '']));
  return { heads: named(''), foreign: named('-foreign') };
}

function commitOf(...[ref, from, id, what, file]: [string, string, string, string, string]): string[] {
  const message = `${what} commit of ${id}`;
  const content = `name = '${id} ${what}'`;
  return [
    `commit ${ref}`,
    'author Q <q@example.org> 1760000000 +0000',
    'committer Q <q@example.org> 1760000000 +0000',
    `data ${message.length}`,
    message,
    `from ${from}`,
    `M 100644 inline ${file}`,
    `data ${content.length}`,
    content,
    '',
  ];
}

/** The product's own, in a process of its own, as people run it; returns what ends it. */
async function startWebhook(
  directory: string,
  address: string,
  lab: GithubStandIn,
): Promise<() => Promise<void>> {
  const port = await freePort();
  const cli = join(import.meta.dirname, '..', '..', '..', 'client', 'cli', 'index.ts');
  const child = execa(process.execPath, [cli, 'webhook'], {
    cwd: directory,
    extendEnv: false,
    reject: false,
    all: true,
    maxBuffer: 1_000_000,
    env: {
      PATH: processEnvironment()['PATH'] ?? '',
      HOME: directory,
      GITHUB_WEBHOOK_SECRET: lab.settings['GITHUB_WEBHOOK_SECRET'] ?? '',
      TEMPORAL_ADDRESS: address,
      HEPHAESTUS_HOME: join(directory, 'home'),
      HEPHAESTUS_LOG_LEVEL: 'error',
      HEPHAESTUS_WEBHOOK_PORT: String(port),
      HEPHAESTUS_PAGE_PORT: String(await freePort()),
    },
  });
  const url = `http://127.0.0.1:${port}`;
  const ready = async (): Promise<void> => {
    for (;;) {
      const answer = await fetch(`${url}/readyz`).catch(() => null);
      if (answer?.ok === true) return;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };
  await Promise.race([
    ready(),
    child.then(({ all }) => Promise.reject(new Error(`the webhook server ended at once:\n${all}`))),
  ]);
  lab.addHook(`${url}/webhooks/github`);
  return async () => {
    child.kill('SIGTERM');
    await child;
  };
}
