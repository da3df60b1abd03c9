import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { exists, readIfThere, requireFolder, writeDurably } from '../attempts/shared-disk.ts';
import { attemptDir } from '../attempts/attempt-paths.ts';
import type { DecisionRecord, LookInput, RecordInput } from './interface.ts';

const Entry = z.object({
  visit: z.string(),
  at: z.string(),
  jobId: z.string().nullable(),
  action: z.enum(['leave', 'stop', 'revoke', 'report']),
  by: z.enum(['platform', 'disk']).nullable(),
  outcome: z.enum(['decided', 'done', 'failed']),
  why: z.string(),
});

/** What the janitor did with an attempt's jobs, the newest last, for people and for its own next visit. */
const JanitorRecord = z.object({
  entries: z.array(Entry),
  settled: z.object({ claimedBy: z.string().nullable(), beat: z.string().nullable() }).nullable(),
});
export type JanitorRecord = z.infer<typeof JanitorRecord>;

const fileName = 'janitor.json';
/** A job that does not end keeps being reported: the first entries and the last tell the story. */
const mostEntries = 50;

/** Undefined when there is none; one that a person wrote something else into counts as none. */
export async function readJanitorRecord(path: string): Promise<JanitorRecord | undefined> {
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  try {
    return JanitorRecord.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Where the record of a job stands: with its attempt while that is there. Null when there is no name for it. */
async function recordPath(sharedDir: string, key: LookInput): Promise<string | null> {
  const folder = attemptDir(sharedDir, key);
  return (await exists(folder)) ? join(folder, fileName) : recordWithoutFolder(sharedDir, key.jobId);
}

export function recordInFolder(folder: string): string {
  return join(folder, fileName);
}

export function recordWithoutFolder(sharedDir: string, jobId: string | null): string | null {
  // The id comes from outside and becomes a file name.
  const usable = jobId !== null && /^\w[\w.-]{0,127}$/.test(jobId);
  return usable ? join(sharedDir, 'janitor', `${jobId}.json`) : null;
}

/** Adds the entries of a visit; the same visit again replaces its own. */
export async function writeRecords(sharedDir: string, input: RecordInput): Promise<void> {
  await requireFolder(sharedDir, 'The shared disk', 'Mount it, or correct HEPHAESTUS_SHARED_DIR.');
  for (const record of input.records) {
    const path = await recordPath(sharedDir, record);
    if (path === null) continue;
    if (path === recordWithoutFolder(sharedDir, record.jobId)) {
      await mkdir(join(sharedDir, 'janitor'), { recursive: true });
    }
    const before = (await readJanitorRecord(path)) ?? { entries: [], settled: null };
    await writeDurably(path, `${JSON.stringify(added(before, record, input), null, 2)}\n`, 0o644);
  }
}

function added(
  before: JanitorRecord,
  { jobId, action, by, why, outcome, settled }: DecisionRecord,
  { visit, at }: RecordInput,
): JanitorRecord {
  const others = before.entries.filter((entry) => entry.visit !== visit || entry.jobId !== jobId);
  const entries = [...others, { visit, at, jobId, action, by, outcome, why }];
  const kept =
    entries.length <= mostEntries ? entries : [...entries.slice(0, 1), ...entries.slice(1 - mostEntries)];
  return { entries: kept, settled };
}
