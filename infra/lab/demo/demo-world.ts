import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { TemporalSettings } from '../../config/config.ts';
import { loadConfig } from '../../config/load-config.ts';
import { freePort } from '../../free-port.ts';
import { startDevServer, type DevServer } from '../../temporal/dev-server.ts';
import { toolEnvironment } from '../../tools/tool-environment.ts';
import type { Tools } from '../../tools/ensure-tools.ts';
import { registerWebhook } from '../register-webhook.ts';
import { seedDigits } from '../seed-digits.ts';
import { startLab, type Lab } from '../start-lab.ts';
import { findLabPython } from './lab-python.ts';
import { startChild, type Child } from './processes.ts';
import { scriptDemo } from './script-demo.ts';

/** Everything that the demo runs on. */
export interface DemoWorld {
  readonly directory: string;
  readonly home: string;
  readonly lab: Lab;
  readonly server: DevServer;
  readonly worker: Child;
  readonly webhook: Child;
  readonly temporal: TemporalSettings;
  /** What a person would have in their `.env`, to look around with. */
  readonly settings: Readonly<Record<string, string>>;
  /** Another worker for every zone, for when the first one was killed. */
  startWorker(): Child;
  /** Ends everything that was started; again changes nothing. */
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
export async function startDemoWorld(options: DemoWorldOptions): Promise<DemoWorld> {
  const closers: (() => Promise<void>)[] = [];
  // The newest first: what was started last leans on what was started before.
  const close = async (): Promise<void> => {
    for (const each of closers.splice(0).toReversed()) await each();
  };
  try {
    return await openWorld(options, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function openWorld(
  { directory, tools, environment }: DemoWorldOptions,
  closers: (() => Promise<void>)[],
  close: () => Promise<void>,
): Promise<DemoWorld> {
  const allowed = toolEnvironment(environment);
  const home = join(directory, 'home');
  await mkdir(home, { recursive: true });
  const python = await findLabPython(allowed);
  // Each is to be closed as soon as it is up, also when another one fails to come up.
  const [server, lab] = await Promise.all([
    closedBy(closers, startDevServer({ temporal: tools.temporal, databaseFile: join(home, 'temporal.db') })),
    closedBy(
      closers,
      startLab({
        directory: join(directory, 'lab'),
        script: scriptDemo(python),
      }),
    ),
  ]);
  const webhookPort = await freePort();
  const pagePort = await freePort();
  const settings = {
    ...lab.settings,
    HEPHAESTUS_HOME: home,
    HEPHAESTUS_WEBHOOK_PORT: String(webhookPort),
    HEPHAESTUS_PAGE_PORT: String(pagePort),
    HEPHAESTUS_TEMPORAL_UI_URL: server.uiUrl,
    HEPHAESTUS_GITHUB_POLL_SECONDS: '5',
    QIZHI_POLL_SECONDS: '1',
    QIZHI_REQUESTS_PER_SECOND: '20',
    TEMPORAL_ADDRESS: server.address,
    TEMPORAL_NAMESPACE: server.namespace,
  };
  await writeFile(join(home, '.env'), envFile(settings), { mode: 0o600 });
  const start = (name: string, ...args: string[]): Child => {
    const argv = [process.execPath, cli, ...args] as const;
    const child = startChild({ name, argv, cwd: home, environment: { ...allowed, ...settings } });
    closers.push(() => child.stop());
    return child;
  };
  const startWorker = (): Child => start('worker', 'worker', '--zone', 'local', 'control', 'networked');
  const worker = startWorker();
  const webhook = start('webhook server', 'webhook');
  await seedDigits(lab, { uv: tools.uv, wandb: tools.wandb, python: python.path, environment: allowed });
  await registerWebhook(lab, `http://127.0.0.1:${webhookPort}/webhooks/github`);
  const { temporal } = loadConfig({ env: settings, zones: [], cwd: home });
  return { directory, home, lab, server, worker, webhook, settings, startWorker, temporal, close };
}

async function closedBy<T extends { close(): Promise<void> }>(
  closers: (() => Promise<void>)[],
  starting: Promise<T>,
): Promise<T> {
  const started = await starting;
  closers.push(() => started.close());
  return started;
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
