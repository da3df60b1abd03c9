import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { FailureType } from '../domain/failure.ts';
import { Failure } from './failure.ts';

interface DiskError {
  readonly type: FailureType;
  readonly cure: string;
}

const full = 'Expected free space: free some, or enlarge the disk or the quota';
const readOnly = 'Expected a place that this worker may write: mend its mount or its permissions';
const unavailable = 'Expected a disk that answers: look at its mount on this machine';

const diskErrors: Readonly<Record<string, DiskError>> = {
  ENOSPC: { type: 'SharedDiskFull', cure: full },
  EDQUOT: { type: 'SharedDiskFull', cure: full },
  EROFS: { type: 'SharedDiskReadOnly', cure: readOnly },
  EACCES: { type: 'SharedDiskReadOnly', cure: readOnly },
  EIO: { type: 'SharedDiskUnavailable', cure: unavailable },
  ESTALE: { type: 'SharedDiskUnavailable', cure: unavailable },
};

/** The failure that an error of the file system stands for; null for errors that are not the disk's. */
export function toDiskFailure(error: unknown, folder?: string): Failure | null {
  if (!(error instanceof Error && 'code' in error)) return null;
  const known = diskErrors[String(error.code)];
  if (known === undefined) return null;
  const where = folder === undefined ? '' : `${folder} cannot be written: `;
  return new Failure(known.type, `${where}${error.message}. ${known.cure}. It is tried again meanwhile.`, {
    cause: error,
  });
}

/**
 * As `toDiskFailure`, also for the answer of a recursive mkdir below a disk that is read-only or full: that says only
 * "no such file", so the disk itself is asked.
 */
export async function findDiskFailure(error: unknown): Promise<Failure | null> {
  const known = toDiskFailure(error);
  if (known !== null || !(error instanceof Error && 'code' in error && 'path' in error)) return known;
  if (error.code !== 'ENOENT' || !('syscall' in error) || error.syscall !== 'mkdir') return null;
  let folder = dirname(String(error.path));
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  return diskFailure(folder);
}

/** More than fits into what a full disk may still have for names and small files. */
const probeBytes = 64 * 1024;

/**
 * Looks whether the folder's disk takes what is written to it. Programs tell a full disk only in words; this tells it by
 * code. Null when it does, or when the folder is not there at all.
 */
export async function diskFailure(folder: string): Promise<Failure | null> {
  const probe = join(folder, `.hephaestus-probe-${randomUUID()}`);
  try {
    await writeFile(probe, Buffer.alloc(probeBytes), { flush: true });
    return null;
  } catch (error) {
    return toDiskFailure(error, folder);
  } finally {
    await rm(probe, { force: true });
  }
}
