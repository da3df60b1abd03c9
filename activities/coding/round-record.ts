import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';

import { unlessMissing } from '../../infra/unless-missing.ts';

/**
 * What a round came to beside its commit, in `agent/round-<n>.json` of the experiment's folder: for the repeat of a round
 * whose worker died after the commit, and for people.
 */
const RoundRecord = z.strictObject({
  sha: z.string(),
  usage: z.array(
    z.strictObject({ agent: z.string(), model: z.string(), input: z.number(), output: z.number() }),
  ),
  tries: z.array(
    z.strictObject({ outcome: z.enum(['accepted', 'check-failed', 'outside-paths']), detail: z.string() }),
  ),
});
type RoundRecord = z.infer<typeof RoundRecord>;

/** Null where there is none of this commit: then only the commit itself is known. */
export async function readRoundRecord(
  folder: string,
  round: number,
  sha: string,
): Promise<RoundRecord | null> {
  const text = await unlessMissing(readFile(fileOf(folder, round), 'utf8'));
  if (text === undefined) return null;
  try {
    const record = RoundRecord.safeParse(JSON.parse(text)).data;
    return record?.sha === sha ? record : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

export async function writeRoundRecord(folder: string, round: number, record: RoundRecord): Promise<void> {
  await writeFileAtomic(fileOf(folder, round), `${JSON.stringify(record, null, 2)}\n`);
}

function fileOf(folder: string, round: number): string {
  return join(folder, 'agent', `round-${round}.json`);
}
