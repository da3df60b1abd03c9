import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Connection } from '@temporalio/client';
import { execa } from 'execa';

import { freePort } from '../free-port.ts';

export interface DevServerOptions {
  /** The `temporal` executable. */
  readonly temporal: string;
  /** SQLite file; state is lost at the end when it is not given. */
  readonly databaseFile?: string;
  readonly port?: number;
  readonly uiPort?: number;
  readonly namespace?: string;
}

export interface DevServer {
  readonly address: string;
  readonly uiUrl: string;
  readonly namespace: string;
  readonly pid: number;
  /** Asks the server to end and waits until it has. */
  close(): Promise<void>;
}

/** How long a start may take, ms: seconds are ordinary on a busy machine. */
const startLimit = 60_000;
/** A port that was free a moment ago may be taken by now: another one is tried. */
const portTries = 3;

/**
 * Starts Temporal's own development server with its Web UI, on the loopback and on free ports, and returns once it
 * answers. Throws an `Error` with the server's own words when it ends instead.
 */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  let tries = options.port === undefined && options.uiPort === undefined ? portTries : 1;
  for (;;) {
    try {
      return await startOnce(options);
    } catch (error) {
      tries -= 1;
      if (tries === 0) throw error;
    }
  }
}

export type DevServerPlace = Required<Pick<DevServerOptions, 'port' | 'uiPort' | 'namespace'>> &
  Pick<DevServerOptions, 'databaseFile'>;

/** What follows the name of the `temporal` executable. */
export function devServerArguments({ port, uiPort, namespace, databaseFile }: DevServerPlace): string[] {
  return [
    'server',
    'start-dev',
    '--ip=127.0.0.1',
    `--port=${port}`,
    `--ui-port=${uiPort}`,
    `--namespace=${namespace}`,
    '--log-level=error',
    ...(databaseFile === undefined ? [] : [`--db-filename=${databaseFile}`]),
  ];
}

async function startOnce(options: DevServerOptions): Promise<DevServer> {
  const port = options.port ?? (await freePort());
  const uiPort = options.uiPort ?? (await freePort());
  const namespace = options.namespace ?? 'default';
  if (options.databaseFile !== undefined) await mkdir(dirname(options.databaseFile), { recursive: true });
  const server = execa(
    options.temporal,
    devServerArguments({
      port,
      uiPort,
      namespace,
      ...(options.databaseFile !== undefined && { databaseFile: options.databaseFile }),
    }),
    {
      reject: false,
      all: true,
      stdin: 'ignore',
      buffer: true,
      maxBuffer: 1_000_000,
      forceKillAfterDelay: 5000,
    },
  );
  const address = `127.0.0.1:${port}`;
  await Promise.race([
    answering(address),
    server.then(({ all }) => Promise.reject(new Error(`the Temporal server ended at once:\n${all}`))),
  ]);
  return {
    address,
    uiUrl: `http://127.0.0.1:${uiPort}`,
    namespace,
    pid: server.pid ?? 0,
    close: async () => {
      server.kill();
      await server;
    },
  };
}

async function answering(address: string): Promise<void> {
  const limit = Date.now() + startLimit;
  for (;;) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: 1000 });
      await connection.close();
      return;
    } catch (error) {
      if (Date.now() > limit)
        throw new Error(`the Temporal server at ${address} does not answer`, { cause: error });
      await delay(100);
    }
  }
}
