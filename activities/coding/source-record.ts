import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';

/**
 * What is known of an experiment's worktree, beside it in `source.json`: the coding agent can move branches and write
 * commits, so what counts is written here, after the worker has checked it.
 */
export const SourceRecord = z.strictObject({
  /** The workflow run that the worktree was made for; another one begins again from the base. */
  life: z.string(),
  repository: z.string(),
  base: z.string(),
  baseSha: z.string(),
  /** The last commit that was checked; the base before there is one. */
  head: z.string(),
});
export type SourceRecord = z.infer<typeof SourceRecord>;

/** Null when there is none, or none that can be read: then the worktree is made anew. */
export async function readSourceRecord(experimentDir: string): Promise<SourceRecord | null> {
  let text: string;
  try {
    text = await readFile(join(experimentDir, 'source.json'), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  try {
    return SourceRecord.safeParse(JSON.parse(text)).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

export async function writeSourceRecord(experimentDir: string, record: SourceRecord): Promise<void> {
  await writeFileAtomic(join(experimentDir, 'source.json'), `${JSON.stringify(record, null, 2)}\n`);
}
