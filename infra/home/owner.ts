import { readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { lock } from 'proper-lockfile';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';

import { processIdentity } from '../process-identity.ts';
import { unlessMissing } from '../unless-missing.ts';

/** The process that `up` runs in; `owner.json` in the home. */
const Owner = z.object({
  schema: z.literal('hephaestus/owner/v1'),
  pid: z.number().int().positive(),
  /** See `processIdentity`: numbers of processes are given out again. */
  identity: z.string(),
  host: z.string(),
  /** ISO 8601, UTC. */
  startedAt: z.iso.datetime(),
  /** Where its Temporal listens, and its Web UI. */
  address: z.string(),
  uiUrl: z.string(),
});
export type Owner = z.infer<typeof Owner>;

export type Claim =
  | { readonly status: 'taken'; release(): Promise<void> }
  | { readonly status: 'held'; readonly owner: Owner };

/** Two that look at the same time look one after the other; one that dies while it looks holds up the next so long. */
const lookLock = { stale: 5000, retries: { retries: 80, factor: 1, minTimeout: 100 }, realpath: false };

/**
 * Takes the home for this process, unless another one that is alive has it. What a killed one left is taken over at once:
 * its process is gone, also when its number was given to another by now.
 */
export async function claimHome(home: string, links: Pick<Owner, 'address' | 'uiUrl'>): Promise<Claim> {
  const path = ownerFile(home);
  const release = await lock(path, lookLock);
  try {
    const owner = await liveOwner(home);
    if (owner !== null && owner.pid !== process.pid) return { status: 'held', owner };
    const own: Owner = {
      schema: 'hephaestus/owner/v1',
      pid: process.pid,
      identity: (await processIdentity(process.pid)) ?? '',
      host: hostname(),
      startedAt: new Date().toISOString(),
      ...links,
    };
    await writeFileAtomic(path, `${JSON.stringify(own, null, 1)}\n`, { mode: 0o600 });
    return { status: 'taken', release: () => rm(path, { force: true }) };
  } finally {
    await release();
  }
}

/**
 * Who has the home now; null when nobody does. A file that cannot be read, or that names a process of another machine (a
 * container that was replaced), counts as nobody: the database has a lock of its own.
 */
export async function liveOwner(home: string): Promise<Owner | null> {
  const owner = parse(await unlessMissing(readFile(ownerFile(home), 'utf8')));
  if (owner === null || owner.host !== hostname()) return null;
  return (await processIdentity(owner.pid)) === owner.identity ? owner : null;
}

function ownerFile(home: string): string {
  return join(home, 'owner.json');
}

function parse(text: string | undefined): Owner | null {
  if (text === undefined) return null;
  try {
    return Owner.safeParse(JSON.parse(text)).data ?? null;
  } catch (error) {
    // Written by rename, so this is what somebody else made of it.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
