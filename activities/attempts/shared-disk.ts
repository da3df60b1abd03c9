import { constants } from 'node:fs';
import { lstat, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

import writeFileAtomic from 'write-file-atomic';

import { Failure } from '../../infra/failure.ts';

/** Nothing that stands in an attempt's folder beside the log is larger by itself. */
const maxFileBytes = 1024 * 1024;
/** A link is not followed, and a pipe is not waited for. */
const readCarefully = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Seen by others whole or not at all, and still there after a power cut. Throws `AttemptConflict` where a link stands
 * under that name: writing would change a file elsewhere.
 */
export async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  if (await isLink(path)) {
    throw new Failure(
      'AttemptConflict',
      `${path} is a symbolic link: expected a file, or nothing yet. Remove the link; a new attempt number avoids it.`,
    );
  }
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

/** Undefined when there is no such file, and for what is no plain file of a believable size: a link, a pipe, a folder. */
export async function readIfThere(path: string): Promise<string | undefined> {
  const file = await openIfThere(path);
  if (file === undefined) return undefined;
  try {
    const status = await file.stat();
    return status.isFile() && status.size <= maxFileBytes ? await file.readFile('utf8') : undefined;
  } finally {
    await file.close();
  }
}

/** Undefined when there is no such file, or a link in its place: whoever writes here could point it at a secret. */
export async function openIfThere(path: string) {
  try {
    return await open(path, readCarefully);
  } catch (error) {
    // ELOOP is a link, ENXIO a socket.
    if (isMissing(error) || ['ELOOP', 'ENXIO'].includes(errorCode(error))) return undefined;
    throw error;
  }
}

/** Whether anything has this name, also a link that leads nowhere. */
export async function exists(path: string): Promise<boolean> {
  return (await statusOf(path)) !== undefined;
}

async function isLink(path: string): Promise<boolean> {
  return (await statusOf(path))?.isSymbolicLink() === true;
}

async function statusOf(path: string) {
  try {
    return await lstat(path);
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
