import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import type { DuplicateJob, JobRecords } from '../../domain/job.ts';
import { isMissing, openIfThere, readIfThere } from './shared-disk.ts';

/** What one look finds; whether the job is silent takes several looks, and the log is read only for those who want it. */
export type Look = Omit<JobRecords, 'silent' | 'logTail'>;

const Heartbeat = z.object({ at: z.number() });
/** What the node could not tell, or told in a way that means nothing, does not take the rest of the record with it. */
const usage = z.number().nonnegative().nullable().catch(null);
const maxReason = 1000;
const Exit = z.object({
  code: z.int(),
  signal: z.string().max(20).nullable(),
  startedAt: z.number(),
  endedAt: z.number(),
  reason: z
    .string()
    .transform((reason) => reason.slice(0, maxReason))
    .nullable(),
  peakMemoryBytes: usage,
  gpuSeconds: usage,
});
const JobId = z.string().regex(/^[\w.()-]{1,200}$/);
const Duplicate = z.object({ job_id: JobId, startedAt: z.number(), endedAt: z.number() });
/** A job that is started again and again writes one each time; more of them change nothing any more. */
const maxDuplicates = 500;
const tailBytes = 4096;

/**
 * What the job has written in the attempt's folder. A file that is not whole yet, or is not what it should be, counts as
 * not there yet. One listing of the folder says which files are worth opening: most looks are at a job in a queue.
 *
 * Throws the file system's `ENOENT` when the folder itself is gone.
 */
export async function lookAtRecords(folder: string): Promise<Look> {
  const entries = await readdir(folder, { withFileTypes: true });
  const there = new Set(entries.filter((entry) => entry.isFile()).map(({ name }) => name));
  const folders = new Set(entries.filter((entry) => entry.isDirectory()).map(({ name }) => name));
  const [claim, heartbeat, exit, duplicates] = await Promise.all([
    folders.has('claim') ? readClaim(folder) : null,
    there.has('heartbeat.json') ? readJson(join(folder, 'heartbeat.json'), Heartbeat) : undefined,
    there.has('exit.json') ? readJson(join(folder, 'exit.json'), Exit) : undefined,
    folders.has('duplicates') ? readDuplicates(join(folder, 'duplicates')) : [],
  ]);
  return { claim, heartbeatAt: heartbeat?.at ?? null, exit: exit ?? null, duplicates };
}

/** Who holds the claim: null when nobody does, or when it was taken away from all jobs. */
export async function readClaim(folder: string): Promise<JobRecords['claim']> {
  const [jobId, host, time, revoked] = await Promise.all(
    ['job_id', 'host', 'time', 'revoked'].map(async (name) =>
      (await readIfThere(join(folder, 'claim', name)))?.trim(),
    ),
  );
  if (revoked !== undefined || !JobId.safeParse(jobId).success || jobId === undefined) return null;
  return { jobId, host: (host ?? '').slice(0, 200), at: Number(time) || 0 };
}

/** The last whole lines of `output.log`, at most 4 KB. */
export async function readLogTail(folder: string): Promise<string> {
  const file = await openIfThere(join(folder, 'output.log'));
  if (file === undefined) return '';
  try {
    const status = await file.stat();
    if (!status.isFile()) return '';
    const buffer = Buffer.alloc(Math.min(status.size, tailBytes));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, status.size - buffer.length);
    const text = buffer.toString('utf8', 0, bytesRead);
    // The first line of a tail is cut, perhaps inside a character.
    return status.size > tailBytes ? text.slice(text.indexOf('\n') + 1) : text;
  } finally {
    await file.close();
  }
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function readDuplicates(folder: string): Promise<readonly DuplicateJob[]> {
  const names = (await namesIn(folder)).filter((name) => name.endsWith('.json')).toSorted();
  const found: DuplicateJob[] = [];
  for (const name of names.slice(0, maxDuplicates)) {
    const duplicate = await readJson(join(folder, name), Duplicate);
    if (duplicate === undefined) continue;
    found.push({ jobId: duplicate.job_id, startedAt: duplicate.startedAt, endedAt: duplicate.endedAt });
  }
  return found;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
