import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';

import fastify from 'fastify';

import { processEnvironment } from '../../env.ts';
import { detectIsolation, type Isolation } from '../../isolation/isolation.ts';
import type { StandIn, StandInOptions } from '../stand-in.ts';
import { createAccount } from './accounts.ts';
import { createFaults } from './faults.ts';
import { createFrontDoor } from './front-door.ts';
import { openJobStore } from './job-store.ts';
import { addJobRoutes } from './job-routes.ts';
import { addLabRoutes } from './lab-routes.ts';
import { createNewcomers } from './newcomers.ts';
import { createPlatform } from './platform.ts';
import { addPlatformRoutes } from './platform-routes.ts';
import { createScheduler } from './scheduler.ts';
import { createSettings, type SettingsChange } from './settings.ts';
import { createStats } from './stats.ts';

export interface QizhiStandInOptions extends StandInOptions {
  readonly username: string;
  readonly password: string;
  /** How it behaves at first, and after a reset: see `Settings`. The options below are short forms of some of them. */
  readonly behaviour?: SettingsChange;
  /** How long a job is being created, and then queues at least, ms. */
  readonly creatingMs?: number;
  readonly queuingMs?: number;
  /** How long a job may take to end after it was told to, before it is killed, ms. */
  readonly graceMs?: number;
  /** How long after its creation a job cannot be stopped yet, ms. */
  readonly conflictMs?: number;
  /** GPUs of the whole cluster, and of a node by `spec_id` (one where none is named). */
  readonly gpus?: number;
  readonly specs?: Readonly<Record<string, number>>;
  readonly tokenLifetimeSeconds?: number;
  /** How the login writes its answer: lifetime as a string or a number, or without the envelope. */
  readonly tokenShape?: 'string' | 'number' | 'bare';
  /** The strongest that works here when it is not given. */
  readonly isolation?: Isolation;
  /** Absolute paths of folders that no job sees; only where namespaces exist. */
  readonly hideFromJobs?: readonly string[];
}

export interface QizhiStandIn extends StandIn {
  /** How the jobs are kept from the network. */
  readonly isolation: Isolation;
  /** Kills what runs, unless it is told to keep it for the next start on the same folder. */
  close(options?: { readonly keepJobs?: boolean }): Promise<void>;
}

const turnMs = 100;
const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * A stand-in of the training platform: its OpenAPI and, on request, its `/api/v2`, as strict as the original, and jobs
 * that are really run by `sh` without network. What goes wrong is asked for below `/_lab/`.
 */
export async function startQizhiStandIn(options: QizhiStandInOptions): Promise<QizhiStandIn> {
  await mkdir(options.directory, { recursive: true });
  const { username, password } = options;
  const isolation = options.isolation ?? (await detectIsolation());
  const store = await openJobStore(options.directory);
  const settings = createSettings(settingsOf(options));
  const account = createAccount({ username, password, settings });
  const scheduler = createScheduler(store, {
    settings,
    isolation,
    // Of this process's environment a job gets the search path, and nothing else.
    path: processEnvironment()['PATH'] ?? defaultPath,
    hide: options.hideFromJobs ?? [],
  });
  const clock = createClock(() => scheduler.turn());
  const newcomers = createNewcomers(settings);
  const platform = createPlatform({ store, settings, scheduler, newcomers });
  const lab = {
    store,
    scheduler,
    account,
    settings,
    newcomers,
    isolation,
    faults: createFaults(),
    stats: createStats(),
    trouble: clock.trouble,
  };
  const closing = new AbortController();
  const server = fastify({ forceCloseConnections: true });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  addPlatformRoutes(server, {
    ...lab,
    frontDoor: createFrontDoor({ settings, account, platform }),
    closing: closing.signal,
  });
  addLabRoutes(server, lab);
  addJobRoutes(server, lab);
  await server.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  clock.start();
  const url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  return {
    name: 'qizhi',
    url,
    isolation,
    settings: { QIZHI_BASE_URL: url, QIZHI_USERNAME: username, QIZHI_PASSWORD: password },
    async close({ keepJobs = false } = {}) {
      closing.abort();
      await server.close();
      await clock.stop();
      if (!keepJobs) await scheduler.killAll();
    },
  };
}

/** The short forms stand above nothing: where both are given, `behaviour` counts. */
function settingsOf(options: QizhiStandInOptions): SettingsChange {
  const { creatingMs, queuingMs, graceMs, conflictMs, gpus, specs = {}, behaviour = {} } = options;
  const { tokenLifetimeSeconds: lifetimeSeconds, tokenShape: shape } = options;
  return {
    ...behaviour,
    times: { ...given({ creatingMs, queuingMs, graceMs, conflictMs }), ...behaviour.times },
    cluster: { ...given({ gpus }), ...behaviour.cluster },
    create: {
      specs: Object.fromEntries(Object.entries(specs).map(([id, each]) => [id, { gpus: each }])),
      ...behaviour.create,
    },
    token: { ...given({ lifetimeSeconds, shape }), ...behaviour.token },
  };
}

/** Without the keys that have no value. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** Runs `turn` again and again, never two at once, until it is stopped. A turn that fails is followed by the next. */
function createClock(turn: () => Promise<void>) {
  let stopped = false;
  let trouble = '';
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const once = async () => {
    try {
      await turn();
      trouble = '';
    } catch (error) {
      trouble = error instanceof Error ? error.message : String(error);
    }
    next();
  };
  const next = () => {
    if (stopped) return;
    timer = setTimeout(() => {
      running = once();
    }, turnMs);
  };
  return {
    start: next,
    trouble: () => trouble,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
