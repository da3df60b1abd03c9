import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

import { ConfigError } from '../../infra/config/config-error.ts';
import type { Config } from '../../infra/config/config.ts';
import type { Environment } from '../../infra/env.ts';
import { claimHome } from '../../infra/home/owner.ts';
import { isPortFree } from '../../infra/is-port-free.ts';
import { createLog } from '../../infra/log.ts';
import { supervise, type Supervised } from '../../infra/supervisor/supervise.ts';
import { ensureTools, ToolInstallError, type Tools } from '../../infra/tools/ensure-tools.ts';
import { MissingToolError } from '../../infra/tools/preflight.ts';
import { toolEnvironment } from '../../infra/tools/tool-environment.ts';
import { probeVersion } from '../../infra/tools/versions.ts';
import { EndedBadlyError } from '../cli/cli-errors.ts';
import { moment } from '../cli/format.ts';
import { ClientError } from '../client-error.ts';
import { openExperiments } from '../experiments.ts';
import { servePage } from '../page/serve-page.ts';
import { openTemporalLink } from '../temporal-link.ts';
import { localAddress, type LocalAddress } from './local-address.ts';
import { openHome, refuseForeignHome, requireSafeDatabase, upgradeHome } from './prepare-home.ts';
import { temporalService } from './temporal-service.ts';
import { openServiceLog } from './service-log.ts';
import { webhookService, workerService } from './worker-service.ts';

export interface RunUpOptions {
  readonly config: Config;
  readonly cwd: string;
  readonly environment: Environment;
  readonly toolsRoot: string;
  readonly setDatabaseAside: boolean;
  readonly program: string;
  /** Aborting it ends everything in good order. */
  readonly signal: AbortSignal;
  /** A line for people. */
  readonly tell: (line: string) => void;
  /** Called at every change of a service. */
  readonly onChange: (service: Supervised) => void;
  /** Called once, when all services were started; what it returns is waited for at the end. */
  readonly onStarted: (services: readonly Supervised[], signal: AbortSignal) => Promise<void>;
}

const portPatienceMs = 4000;

/**
 * Temporal with its database in the home, the worker for every zone, the page for people and, where there is a secret, the
 * webhook server: keeps them running until the signal, then ends them in good order. Whatever happens to this process, none of them
 * outlives it.
 *
 * Throws `ConfigError`, `UsageError`, `EndedBadlyError`, or `ClientError` (`refused`: another one has the home).
 */
export async function runUp(options: RunUpOptions): Promise<void> {
  const { config, signal, tell } = options;
  const address = localAddress(config.temporal);
  await openHome(config.home, tell);
  await refuseForeignHome(config.home);
  const { address: at, uiUrl } = config.temporal;
  const claim = await claimHome(config.home, { address: at, uiUrl });
  if (claim.status === 'held') {
    const { pid, startedAt, uiUrl: itsUi } = claim.owner;
    throw new ClientError(
      'refused',
      `${config.home} is in use: \`up\` runs since ${moment(startedAt)} as process ${pid}. Its Temporal Web UI is at ${itsUi}; ` +
        `\`${options.program} down\` ends it.`,
    );
  }
  try {
    const tools = await prepare(options, address);
    signal.throwIfAborted();
    await serve(options, address, tools);
  } catch (error) {
    // What an end that was asked for interrupted is no failure.
    if (!signal.aborted) throw error;
  } finally {
    await claim.release();
  }
}

/** Everything that must be right before anything is started. */
async function prepare(options: RunUpOptions, address: LocalAddress): Promise<Tools> {
  const { config, environment, toolsRoot, signal, tell, program } = options;
  const { home } = config;
  const which = ['temporal', 'agents', 'uv', 'wandb', 'python'] as const;
  const tools = await ensureTools({ root: toolsRoot, which, environment, signal, log: tell }).catch(
    (error: unknown) => {
      const foreseen = error instanceof ToolInstallError || error instanceof MissingToolError;
      throw foreseen ? new EndedBadlyError(error.message, error) : error;
    },
  );
  await requireFreePort('TEMPORAL_ADDRESS', address.port, signal);
  await requireFreePort('HEPHAESTUS_TEMPORAL_UI_URL', address.uiPort, signal);
  // Looked at first: of a damaged one no copy is worth having.
  await requireSafeDatabase({
    home,
    python: tools.python,
    setAside: options.setDatabaseAside,
    program,
    tell,
  });
  const version = await probeVersion(tools.temporal, toolEnvironment(environment));
  await upgradeHome({ home, temporal: version?.join('.') ?? 'unknown', tell });
  return tools;
}

/** One that was killed a moment ago may still be ending, so a port is given a few seconds. */
async function requireFreePort(key: string, port: number, signal: AbortSignal): Promise<void> {
  const limit = Date.now() + portPatienceMs;
  while (!(await isPortFree(port))) {
    if (Date.now() > limit) {
      const found = `port ${port} of 127.0.0.1, which another program listens on or this user may not use`;
      const todo = `end that program (\`ss -ltnp 'sport = :${port}'\` names it), or choose another port by ${key}`;
      throw new ConfigError([{ key, found, expected: 'a free port', todo }]);
    }
    await delay(100, undefined, { signal });
  }
}

async function serve(options: RunUpOptions, address: LocalAddress, tools: Tools): Promise<void> {
  const { config, cwd, environment, program } = options;
  const folder = join(config.home, 'logs');
  await mkdir(folder, { recursive: true });
  const logOf = (name: string): Writable => openServiceLog(folder, name, options.tell);
  const link = openTemporalLink(config.temporal);
  // First, because a port that is taken is better told before anything runs.
  const page = await openPage(config, () => logOf('page'));
  const logs = { temporal: logOf('temporal'), worker: logOf('worker'), webhook: logOf('webhook') };
  const start = (service: Parameters<typeof supervise>[0]): Supervised =>
    supervise(service, { python: tools.python, onChange: options.onChange });
  const { temporal, python } = tools;
  const server = start(
    temporalService({
      temporal,
      python,
      home: config.home,
      address,
      environment,
      program,
      log: logs.temporal,
    }),
  );
  // The worker takes longer to load than Temporal to answer, so it is not made to wait for it.
  const others = [
    start(workerService({ cwd, home: config.home, log: logs.worker, link })),
    ...(config.webhook === null
      ? []
      : [start(webhookService({ cwd, home: config.home, log: logs.webhook, settings: config.webhook }))]),
  ];
  const services = [server, ...others];
  const ending = new AbortController();
  const watching = options.onStarted(services, ending.signal);
  try {
    const stopped = options.signal.aborted ? Promise.resolve() : once(options.signal, 'abort');
    await Promise.race([stopped, watching, ...services.map(({ over }) => over)]);
  } finally {
    ending.abort();
    await watching.catch(() => undefined);
    options.tell('Stopping, within half a minute …');
    // The worker tells Temporal what it leaves undone, so Temporal goes last.
    await Promise.all(others.map((service) => service.stop()));
    await server.stop();
    await page?.close();
    await link.close();
    for (const log of Object.values(logs)) log.end();
  }
}

/** Null where the webhook server runs, which shows the page as well. */
async function openPage(config: Config, openLog: () => Writable): Promise<{ close(): Promise<void> } | null> {
  if (config.webhook !== null) return null;
  const log = openLog();
  const experiments = openExperiments(config.temporal);
  try {
    const page = await servePage(config, { experiments, log: createLog(config.logLevel, log) });
    return {
      async close() {
        await page.close();
        await experiments.close();
        log.end();
      },
    };
  } catch (error) {
    await experiments.close();
    throw error;
  }
}
