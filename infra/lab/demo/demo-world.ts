import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Octokit } from '@octokit/rest';

import type { TemporalSettings } from '../../config/config.ts';
import { loadConfig } from '../../config/load-config.ts';
import { freePort } from '../../free-port.ts';
import { startDevServer, type DevServer } from '../../temporal/dev-server.ts';
import { toolEnvironment } from '../../tools/tool-environment.ts';
import type { Tools } from '../../tools/ensure-tools.ts';
import { scriptIdea } from '../models/script-idea.ts';
import { seedDigits } from '../seed-digits.ts';
import { startLab, type Lab } from '../start-lab.ts';
import { findLabPython } from './lab-python.ts';
import { demoIdea } from './idea.ts';
import { startChild, type Child } from './processes.ts';

/** Everything that the demo runs on. */
export interface DemoWorld {
  readonly directory: string;
  readonly home: string;
  readonly lab: Lab;
  readonly server: DevServer;
  readonly worker: Child;
  readonly webhook: Child;
  readonly webhookUrl: string;
  readonly temporal: TemporalSettings;
  /** What a person would have in their `.env`, to look around with. */
  readonly settings: Readonly<Record<string, string>>;
  /** Runs the command line as a person would, to its end; returns what it printed. */
  startWorker(): Child;
  close(): Promise<void>;
}

export interface DemoWorldOptions {
  readonly directory: string;
  readonly tools: Tools;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const checkout = join(import.meta.dirname, '..', '..', '..');
const cli = join(checkout, 'client', 'cli', 'index.ts');

/** Starts Temporal, the lab, one worker for every zone and the webhook server: the last two by the real command line. */
export async function startDemoWorld({
  directory,
  tools,
  environment,
}: DemoWorldOptions): Promise<DemoWorld> {
  const allowed = toolEnvironment(environment);
  const home = join(directory, 'home');
  await mkdir(home, { recursive: true });
  const python = await findLabPython(allowed);
  const note = {
    ...demoIdea.note,
    environment: { ...demoIdea.note.environment, python: python.version, interpreter: python.path },
  };
  const [server, lab] = await Promise.all([
    startDevServer({ temporal: tools.temporal, databaseFile: join(home, 'temporal.db') }),
    startLab({ directory: join(directory, 'lab'), script: scriptIdea({ ...demoIdea, note }) }),
  ]);
  await seedDigits(lab, { uv: tools.uv, wandb: tools.wandb, python: python.path, environment: allowed });
  const webhookPort = await freePort();
  const settings = {
    ...lab.settings,
    HEPHAESTUS_HOME: home,
    HEPHAESTUS_WEBHOOK_PORT: String(webhookPort),
    HEPHAESTUS_TEMPORAL_UI_URL: server.uiUrl,
    HEPHAESTUS_GITHUB_POLL_SECONDS: '5',
    QIZHI_POLL_SECONDS: '1',
    TEMPORAL_ADDRESS: server.address,
    TEMPORAL_NAMESPACE: server.namespace,
  };
  await writeFile(join(home, '.env'), envFile(settings), { mode: 0o600 });
  const child = (name: string, ...args: string[]): Child =>
    startChild({
      name,
      argv: [process.execPath, cli, ...args],
      cwd: home,
      environment: { ...allowed, ...settings },
    });
  const startWorker = (): Child => child('worker', 'worker', '--zone', 'local', 'control', 'networked');
  const worker = startWorker();
  const webhook = child('webhook server', 'webhook');
  const webhookUrl = `http://127.0.0.1:${webhookPort}/webhooks/github`;
  await registerWebhook(lab, webhookUrl);
  return {
    directory,
    home,
    lab,
    server,
    worker,
    webhook,
    webhookUrl,
    settings,
    startWorker,
    temporal: loadConfig({ env: { ...settings }, zones: [], cwd: home }).temporal,
    close: async () => {
      await Promise.all([worker.stop(), webhook.stop()]);
      await Promise.all([lab.close(), server.close()]);
    },
  };
}

async function registerWebhook(lab: Lab, url: string): Promise<void> {
  const { GITHUB_API_URL = '', GITHUB_TOKEN = '', GITHUB_WEBHOOK_SECRET = '' } = lab.settings;
  const octokit = new Octokit({ baseUrl: GITHUB_API_URL, auth: GITHUB_TOKEN });
  await octokit.rest.repos.createWebhook({
    owner: 'lab',
    repo: 'digits',
    events: ['pull_request', 'pull_request_review', 'issue_comment', 'status'],
    config: { url, content_type: 'json', secret: GITHUB_WEBHOOK_SECRET },
  });
}

function envFile(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}\n`)
    .join('');
}

/** A folder for this demo alone, and a link `demo` beside it that leads to the newest. */
export async function makeDemoDirectory(root: string): Promise<string> {
  const directory = join(root, `demo-${new Date().toISOString().replaceAll(/\D/g, '').slice(0, 17)}`);
  await mkdir(directory, { recursive: true });
  const link = join(root, 'demo');
  await rm(link, { force: true, recursive: false });
  await symlink(directory, link);
  return directory;
}
