import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import type { JobRecords } from '../../domain/job.ts';
import { isMissing, readIfThere } from './shared-disk.ts';

const Heartbeat = z.object({ at: z.number() });
const Exit = z.object({
  code: z.int(),
  signal: z.string().nullable(),
  startedAt: z.number(),
  endedAt: z.number(),
  reason: z.string().nullable(),
  peakMemoryBytes: z.number().nullable().default(null),
  gpuSeconds: z.number().nullable().default(null),
});
const tailBytes = 4096;

/** What the job has written in the attempt's folder. A file that is not whole yet counts as not there yet. */
export async function readRecords(folder: string): Promise<JobRecords> {
  const [claim, heartbeat, exit, duplicates, logTail] = await Promise.all([
    readClaim(folder),
    readJson(join(folder, 'heartbeat.json'), Heartbeat),
    readJson(join(folder, 'exit.json'), Exit),
    readDuplicates(join(folder, 'duplicates')),
    readTail(join(folder, 'output.log')),
  ]);
  return { claim, heartbeatAt: heartbeat?.at ?? null, exit: exit ?? null, duplicates, logTail };
}

/** Who holds the claim: null when nobody does, or when it was taken away from all jobs. */
export async function readClaim(folder: string): Promise<JobRecords['claim']> {
  const [jobId, host, time, revoked] = await Promise.all(
    ['job_id', 'host', 'time', 'revoked'].map(async (name) =>
      (await readIfThere(join(folder, 'claim', name)))?.trim(),
    ),
  );
  if (jobId === undefined || jobId === '' || revoked !== undefined) return null;
  return { jobId, host: host ?? '', at: Number(time) || 0 };
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

async function readDuplicates(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(folder);
    return names
      .filter((name) => name.endsWith('.json'))
      .map((name) => name.slice(0, -'.json'.length))
      .toSorted();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function readTail(path: string): Promise<string> {
  let file;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
  try {
    const { size } = await file.stat();
    const buffer = Buffer.alloc(Math.min(size, tailBytes));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, size - buffer.length);
    const text = buffer.toString('utf8', 0, bytesRead);
    // The first line of a tail is cut, perhaps inside a character.
    return size > tailBytes ? text.slice(text.indexOf('\n') + 1) : text;
  } finally {
    await file.close();
  }
}
