import { access, chmod, constants, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

import { ConfigError } from '../../infra/config/config-error.ts';
import { copyDatabase, setDatabaseAside, checkDatabase, databaseFile } from '../../infra/home/database.ts';
import { diskOf } from '../../infra/home/disk-kind.ts';
import { homeFile, homeVersion, readHomeState, writeHomeVersion } from '../../infra/home/home-version.ts';
import { unlessMissing } from '../../infra/unless-missing.ts';
import { EndedBadlyError } from '../cli/cli-errors.ts';

type Tell = (line: string) => void;

/** Below this, SQLite and the logs have no room to grow, bytes. */
const leastFree = 200 * 2 ** 20;

/**
 * Makes the home where it is missing and looks whether it can be one: a local disk with room that this user may write.
 * Throws `ConfigError`, or `EndedBadlyError` for a full disk.
 */
export async function openHome(home: string, tell: Tell): Promise<void> {
  const wrong = (found: string, expected: string, todo: string): ConfigError =>
    new ConfigError([{ key: 'HEPHAESTUS_HOME', found: `"${home}", ${found}`, expected, todo }]);
  try {
    await makeFolder(home);
    await access(home, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (isFull(error)) throw full(home, 0);
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === '') throw error;
    throw wrong(`which cannot be written (${code})`, 'a folder that this user may write', '');
  }
  const disk = await diskOf(home);
  if (disk.kind === 'network') {
    throw wrong(
      `which is on a network disk (${disk.name})`,
      'a folder on a disk of this machine: the database of Temporal is damaged by locks that do not hold',
      'set HEPHAESTUS_HOME to a local folder, and HEPHAESTUS_SHARED_DIR to the shared disk',
    );
  }
  if (disk.kind === 'unknown') {
    tell(
      `${home} is on a disk of an unknown kind (${disk.name}). If other machines write there, choose a local folder for HEPHAESTUS_HOME.`,
    );
  }
  if (disk.freeBytes < leastFree) throw full(home, disk.freeBytes);
}

/** Folder by folder: asked for all of them at once below /proc, Node tries for ever. */
async function makeFolder(path: string): Promise<void> {
  if ((await unlessMissing(stat(path))) !== undefined) return;
  if (dirname(path) !== path) await makeFolder(dirname(path));
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    // Another process was as quick.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

/** Throws `ConfigError` when the home is of a version that this program must not touch; changes nothing. */
export async function refuseForeignHome(home: string): Promise<void> {
  const state = await readHomeState(home);
  if (state.status !== 'newer' && state.status !== 'unreadable') return;
  const found = `${JSON.stringify(state.found)} in ${homeFile(home)}`;
  const expected = `hephaestus/home/v${homeVersion} or older`;
  const todo =
    state.status === 'newer'
      ? 'use the newer Hephaestus that made it, or another HEPHAESTUS_HOME'
      : 'restore that file from a backup, or delete it if this home was made by this version';
  throw new ConfigError([{ key: 'HEPHAESTUS_HOME', found, expected, todo }]);
}

export interface UpgradeOptions {
  readonly home: string;
  /** Version of the Temporal server that is about to open the database. */
  readonly temporal: string;
  readonly tell: Tell;
}

/** Brings a home of an older version to this one; nothing may have it open. Again changes nothing. */
export async function upgradeHome({ home, temporal, tell }: UpgradeOptions): Promise<void> {
  const state = await readHomeState(home);
  const before = state.status === 'current' ? state.temporal : null;
  if (state.status === 'current' && before === temporal) return;
  if (state.status === 'older') await chmod(home, 0o700);
  // The server brings its database to its own version and knows no way back.
  const copy = await copyDatabase(home, `before-${temporal}`).catch((error: unknown) => {
    throw isFull(error) ? full(home, 0) : error;
  });
  if (copy !== null) {
    const was = before === null ? 'of an unknown Temporal' : `of Temporal ${before}`;
    tell(`The database was ${was}; before ${temporal} opens it, a copy was made: ${copy}`);
  }
  await writeHomeVersion(home, temporal);
}

export interface SafeDatabaseOptions {
  readonly home: string;
  readonly python: string;
  /** The person said that a database may be moved out of the way. */
  readonly setAside: boolean;
  readonly program: string;
  readonly tell: Tell;
}

/** Throws `EndedBadlyError` for a damaged database, which stays as it is unless the person said otherwise. */
export async function requireSafeDatabase(options: SafeDatabaseOptions): Promise<void> {
  const { home, python, setAside, tell } = options;
  if (setAside) {
    const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
    if ((await checkDatabase(home, python)).status === 'missing') return;
    tell(`The database was moved to ${await setDatabaseAside(home, `aside-${stamp}`)}; a new one is made.`);
    return;
  }
  const state = await checkDatabase(home, python);
  if (state.status === 'damaged') throw damaged(options, state.why);
}

export function damaged(
  { home, program }: Pick<SafeDatabaseOptions, 'home' | 'program'>,
  why: string,
): EndedBadlyError {
  return new EndedBadlyError(
    [
      `${databaseFile(home)} is damaged (${why}). It was left as it is. Either`,
      `  - put a copy of it back in its place (temporal.db, and temporal.db-wal beside it if there is one),`,
      `  - or try to save what can be read: sqlite3 ${databaseFile(home)} ".recover" | sqlite3 new.db, then move new.db in its place,`,
      `  - or begin anew: ${program} up --set-database-aside keeps it under another name. Running experiments are then forgotten:`,
      '    their pull requests, jobs, runs and notes stay, and `janitor` tells of the jobs. Start them again with their task notes.',
    ].join('\n'),
  );
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

function full(home: string, freeBytes: number): EndedBadlyError {
  return new EndedBadlyError(
    `The disk of ${home} has ${Math.floor(freeBytes / 2 ** 20)} MB left, expected ${leastFree / 2 ** 20} MB or more: free some, or set HEPHAESTUS_HOME to another disk.`,
  );
}
