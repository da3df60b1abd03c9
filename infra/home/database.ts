import { copyFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { execa } from 'execa';

import { unlessMissing } from '../unless-missing.ts';

/** SQLite keeps a journal and an index of it beside the file; the three belong together. */
const parts = ['', '-wal', '-shm'] as const;
/** A database that takes longer to be read through is not held up for it. */
const checkSeconds = 2;
const checkScript = join(import.meta.dirname, 'check-database.py');

export type DatabaseState =
  | { readonly status: 'missing' | 'whole' }
  | { readonly status: 'damaged'; readonly why: string };

export function databaseFile(home: string): string {
  return join(home, 'temporal.db');
}

/** Whether Temporal can be started on the file; nothing may have it open. `python`: any with `sqlite3`. */
export async function checkDatabase(home: string, python: string): Promise<DatabaseState> {
  const path = databaseFile(home);
  const found = await unlessMissing(stat(path));
  // What is created and never written to is empty: SQLite takes it for a new one.
  if (found === undefined || found.size === 0) return { status: 'missing' };
  const { failed, stdout, stderr } = await execa(python, ['-I', checkScript, path, String(checkSeconds)], {
    reject: false,
    stdin: 'ignore',
    extendEnv: false,
    env: {},
  });
  if (failed) throw new Error(`${path} cannot be looked at with ${python}: ${stderr.slice(-500)}`);
  const answer = stdout.trim();
  return answer === 'ok' || answer === 'late' ? { status: 'whole' } : { status: 'damaged', why: answer };
}

/** Moves the database out of the way, whole; returns its new name. */
export async function setDatabaseAside(home: string, stamp: string): Promise<string> {
  const target = join(home, `temporal-${stamp}.db`);
  // The file itself goes last: what is left after a half of it is still found here.
  for (const part of parts.toReversed()) {
    await unlessMissing(rename(`${databaseFile(home)}${part}`, `${target}${part}`));
  }
  return target;
}

/** Copies the database, which nothing may have open; returns the copy's name, null when there is none. */
export async function copyDatabase(home: string, stamp: string): Promise<string | null> {
  const target = join(home, `temporal-${stamp}.db`);
  for (const part of parts) {
    const copied = await unlessMissing(
      copyFile(`${databaseFile(home)}${part}`, `${target}${part}`).then(() => true),
    );
    if (copied === undefined && part === '') return null;
  }
  return target;
}
