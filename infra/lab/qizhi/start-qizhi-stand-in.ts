import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';

import fastify from 'fastify';

import { processEnvironment } from '../../env.ts';
import { detectIsolation, type Isolation } from '../../isolation/isolation.ts';
import type { StandIn, StandInOptions } from '../stand-in.ts';
import { createAccount } from './accounts.ts';
import { createFaults } from './faults.ts';
import { openJobStore } from './job-store.ts';
import { createOpenapi } from './openapi.ts';
import { addLabRoutes, addOpenapiRoutes } from './routes.ts';
import { createScheduler } from './scheduler.ts';

export interface QizhiStandInOptions extends StandInOptions {
  readonly username: string;
  readonly password: string;
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
 * A stand-in of the training platform: its OpenAPI, as strict as the original, and jobs that are really run by `sh`
 * without network. Faults are asked for by `POST /_lab/faults`.
 */
export async function startQizhiStandIn(options: QizhiStandInOptions): Promise<QizhiStandIn> {
  await mkdir(options.directory, { recursive: true });
  const { username, password, tokenLifetimeSeconds = 604_800, tokenShape = 'string' } = options;
  const isolation = options.isolation ?? (await detectIsolation());
  const store = await openJobStore(options.directory);
  const account = createAccount({ username, password, tokenLifetimeSeconds, tokenShape });
  const faults = createFaults();
  const openapi = createOpenapi({
    store,
    account,
    specs: options.specs ?? {},
    conflictMs: options.conflictMs ?? 300,
  });
  const scheduler = createScheduler(store, {
    isolation,
    // Of this process's environment a job gets the search path, and nothing else.
    path: processEnvironment()['PATH'] ?? defaultPath,
    hide: options.hideFromJobs ?? [],
    creatingMs: options.creatingMs ?? 200,
    queuingMs: options.queuingMs ?? 800,
    graceMs: options.graceMs ?? 10_000,
    gpus: options.gpus ?? 8,
  });
  const clock = createClock(() => scheduler.turn());
  const server = fastify({ forceCloseConnections: true });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  addOpenapiRoutes(server, openapi, faults);
  addLabRoutes(server, { store, account, faults, openapi, isolation, trouble: clock.trouble });
  await server.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  clock.start();
  const url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  return {
    name: 'qizhi',
    url,
    isolation,
    settings: { QIZHI_BASE_URL: url, QIZHI_USERNAME: username, QIZHI_PASSWORD: password },
    async close({ keepJobs = false } = {}) {
      await server.close();
      await clock.stop();
      if (!keepJobs) await scheduler.killAll();
    },
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
