import { join } from 'node:path';

import { attemptDir } from '../attempts/attempt-paths.ts';
import type { JobKey } from '../attempts/interface.ts';
import { readClaim } from '../attempts/read-records.ts';
import { exists, readIfThere } from '../attempts/shared-disk.ts';
import {
  readJanitorRecord,
  recordInFolder,
  recordWithoutFolder,
  type JanitorRecord,
} from './decision-record.ts';
import type { AttemptSight, LookInput } from './interface.ts';

/** A start script looks at the disk more often than this, ms. */
const timeToNotice = 10 * 60_000;

/** An attempt as it stands, from the cheapest look to the dearest. */
export async function lookAtAttempt(sharedDir: string, { jobId, ...key }: LookInput): Promise<AttemptSight> {
  const folder = attemptDir(sharedDir, key);
  if (await exists(join(folder, 'exit.json'))) return { ...key, status: 'finished', ...nothing };
  const open = await lookAtOpenAttempt(key, folder);
  if (open.status !== 'missing') return open;
  const path = recordWithoutFolder(sharedDir, jobId);
  const record = path === null ? undefined : await readJanitorRecord(path);
  return (record?.settled ?? null) === null ? open : { ...open, status: 'settled' };
}

/** The same for an attempt that has no exit record. */
export async function lookAtOpenAttempt(key: JobKey, folder: string): Promise<AttemptSight> {
  const [claim, revoked, beat, written, record] = await Promise.all([
    readClaim(folder),
    exists(join(folder, 'claim', 'revoked')),
    readIfThere(join(folder, 'heartbeat.json')),
    exists(join(folder, 'attempt.json')),
    readJanitorRecord(recordInFolder(folder)),
  ]);
  if (revoked) return { ...key, status: 'revoked', ...nothing };
  const claimedBy = claim?.jobId ?? null;
  if (claimedBy === null && !written) return { ...key, status: 'missing', ...nothing };
  const seen = { claimedBy, beat: beat ?? null };
  return { ...key, status: isSettled(record, seen) ? 'settled' : 'open', ...seen, asked: wasAsked(record) };
}

const nothing = { claimedBy: null, beat: null, asked: false } as const;

function isSettled(record: JanitorRecord | undefined, seen: NonNullable<JanitorRecord['settled']>): boolean {
  const settled = record?.settled ?? null;
  return settled !== null && settled.claimedBy === seen.claimedBy && settled.beat === seen.beat;
}

function wasAsked(record: JanitorRecord | undefined): boolean {
  const entries = record?.entries ?? [];
  return entries.some(
    ({ by, outcome, at }) =>
      by === 'disk' && outcome === 'done' && Date.parse(at) < Date.now() - timeToNotice,
  );
}
