import { open, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

import writeFileAtomic from 'write-file-atomic';

import { Failure } from '../../infra/failure.ts';

/** Seen by others whole or not at all, and still there after a power cut. */
export async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  await writeFileAtomic(path, text, { mode, fsync: true });
  await syncFolder(dirname(path));
}

/** Makes the names in a folder survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } catch (error) {
    // Some file systems know no sync of a folder; they write names through.
    if (!['EINVAL', 'ENOTSUP', 'EPERM'].includes(errorCode(error))) throw error;
  } finally {
    await folder.close();
  }
}

/** Undefined when there is no such file. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Throws `SharedDiskUnavailable` when the folder is not there: a disk that is not mounted looks like this. */
export async function requireFolder(path: string, what: string, cure: string): Promise<void> {
  try {
    if ((await stat(path)).isDirectory()) return;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  throw new Failure('SharedDiskUnavailable', `${what} is not there: expected a folder at ${path}. ${cure}`);
}

export function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(errorCode(error));
}

export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
