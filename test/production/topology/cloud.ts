import { chown, copyFile, cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Connection } from '@temporalio/client';
import type { TLSConfig } from '@temporalio/common/lib/internal-non-workflow/index.js';

import type { Certificates } from '../../integration/temporal/tls-door.ts';
import { composeService, deployFile } from './deployment-files.ts';
import type { NetworkZone, ZoneProcess, ZoneUser } from './network-zone.ts';
import type { TemporalBuild } from './temporal-build.ts';

export interface CloudOptions {
  readonly zone: NetworkZone;
  readonly folder: string;
  readonly build: TemporalBuild;
  /** The `temporal` command. */
  readonly temporal: string;
  /** Of Debian's own user, as whom Postgres runs: it refuses to be root. */
  readonly postgresUid: number;
  /** null: no door. */
  readonly certificates: Certificates | null;
  readonly path: string;
  /** Begins programs that go on; each is ended with the world. */
  readonly keep: (name: string, child: ZoneProcess) => void;
}

/** 7243 outside; inside, where everything shares one loopback, Temporal's own HTTP has that. */
export const doorPortInside = 7443;
const password = 'a-password-of-this-test-alone';
/** Settings that are addresses: what has names in the networks of the Compose file is all on this loopback. */
const addresses = new Set([
  'SQL_HOST',
  'POSTGRES_SEEDS',
  'BIND_ON_IP',
  'PROMETHEUS_ENDPOINT',
  'TEMPORAL_ADDRESS',
]);

/** Postgres, both schemas, Temporal, its namespace and the door with TLS: in the order and with the settings of Compose. */
export async function startCloud(options: CloudOptions): Promise<void> {
  const database = join(options.folder, 'postgres');
  await startPostgres(options, database);
  await bringPrograms(options);
  await once(options, 'temporal-schema', deployFile('temporal', 'prepare-schema.sh'), {
    SCHEMA_DIR: join(options.folder, 'schema'),
  });
  const server = await environmentOf('temporal', {
    DYNAMIC_CONFIG_FILE_PATH: deployFile('temporal', 'dynamic-config.yml'),
  });
  const temporal = options.zone.start(['temporal-server', 'start'], user(options, server));
  options.keep('Temporal', temporal);
  const namespace = deployFile('temporal', 'prepare-namespace.sh');
  await patiently('the namespace', () => once(options, 'temporal-namespace', namespace));
  const door = join(import.meta.dirname, 'door-process.ts');
  const { certificates } = options;
  if (certificates === null) return;
  const place = JSON.stringify({ target: '127.0.0.1:7233', port: doorPortInside, certificates });
  options.keep('the door', options.zone.start([process.execPath, door, place], user(options, {}, 0)));
}

async function startPostgres(options: CloudOptions, database: string): Promise<void> {
  const { environment } = await composeService('postgresql', { POSTGRES_PASSWORD: password });
  const secret = `${database}.password`;
  await mkdir(database, { mode: 0o700 });
  await writeFile(secret, environment['POSTGRES_PASSWORD'] ?? '', { mode: 0o600 });
  await Promise.all([database, secret].map((path) => chown(path, options.postgresUid, options.postgresUid)));
  const owner = user(options, {}, options.postgresUid);
  const superuser = `--username=${environment['POSTGRES_USER'] ?? ''}`;
  const init = ['-D', database, superuser, `--pwfile=${secret}`, '--auth=scram-sha-256', '--no-sync'];
  const more = (environment['POSTGRES_INITDB_ARGS'] ?? '').split(' ');
  await succeeded('initdb', options.zone.start(['initdb', ...init, ...more], owner));
  const listen = ['-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${database}`];
  const postgres = options.zone.start(['postgres', '-D', database, ...listen], owner);
  options.keep('Postgres', postgres);
  await patiently('Postgres', async () => {
    const ready = ['pg_isready', '--host=127.0.0.1', superuser, '--dbname=postgres'];
    await succeeded('pg_isready', options.zone.start(ready, owner));
  });
}

/** By the names that they have in the images, and where every user can read them: the cache is its owner's alone. */
async function bringPrograms({ folder, build, temporal }: CloudOptions): Promise<void> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await copyFile(build.server, join(bin, 'temporal-server'));
  await copyFile(build.sqlTool, join(bin, 'temporal-sql-tool'));
  await copyFile(temporal, join(bin, 'temporal'));
  await cp(build.schema, join(folder, 'schema'), { recursive: true });
}

async function once(
  options: CloudOptions,
  service: string,
  script: string,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const env = await environmentOf(service, more);
  await succeeded(service, options.zone.start(['sh', script], user(options, env)));
}

async function environmentOf(
  service: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Record<string, string>> {
  const { environment } = await composeService(service, { POSTGRES_PASSWORD: password });
  const here = Object.entries(environment).map(([key, value]) => [
    key,
    addresses.has(key) ? value.replace(/^[^:]+/, '127.0.0.1') : value,
  ]);
  return { ...(Object.fromEntries(here) as Record<string, string>), ...more };
}

/** Temporal and what prepares it run as the user of its images. */
function user({ folder, path }: CloudOptions, env: Readonly<Record<string, string>>, uid = 1000): ZoneUser {
  return { uid, cwd: folder, env: { PATH: `${join(folder, 'bin')}:${path}`, ...env } };
}

async function succeeded(what: string, child: ZoneProcess): Promise<void> {
  const { failed, exitCode, output } = await child.ended;
  if (failed) throw new Error(`${what} ended with ${String(exitCode)}:\n${output}`);
}

/** Until it is there; the last words of what was tried when it is not. */
export async function patiently(what: string, look: () => Promise<unknown>): Promise<void> {
  const limit = Date.now() + 120_000;
  for (;;) {
    try {
      await look();
      return;
    } catch (error) {
      if (Date.now() > limit) throw new Error(`${what} did not come`, { cause: error });
      await delay(500);
    }
  }
}

/** Through the door, as the zones do; why Temporal is not reached, or null when it is. */
export async function refusedByDoor(address: string, tls: TLSConfig): Promise<string | null> {
  try {
    const connection = await Connection.connect({ address, tls, connectTimeout: '5 seconds' });
    await connection.close();
    return null;
  } catch (error) {
    if (error instanceof Error) return error.message;
    throw error;
  }
}
