import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Failure } from '../../infra/failure.ts';
import { readClaim } from './read-records.ts';
import { errorCode, readIfThere, syncFolder } from './shared-disk.ts';

/** The last is something that is no folder. */
const taken = new Set(['ENOTEMPTY', 'EEXIST', 'ENOTDIR']);

/** Takes the claim by the same act as a job does: a full folder is never replaced by a rename. */
export async function revokeClaim(folder: string): Promise<{ readonly claimedBy: string | null }> {
  const own = await mkdtemp(join(folder, '.claim.revoked.'));
  try {
    const now = String(Date.now());
    // No job has this id, so that every one that comes finds somebody else's.
    await writeFile(join(own, 'job_id'), '(revoked)\n');
    await writeFile(join(own, 'host'), '\n');
    await writeFile(join(own, 'time'), `${now}\n`);
    await writeFile(join(own, 'revoked'), `${now}\n`);
    await rename(own, join(folder, 'claim'));
    await syncFolder(folder);
    return { claimedBy: null };
  } catch (error) {
    if (!taken.has(errorCode(error))) throw error;
  } finally {
    await rm(own, { recursive: true, force: true });
  }
  return holder(folder);
}

async function holder(folder: string): Promise<{ readonly claimedBy: string | null }> {
  const claim = await readClaim(folder);
  if (claim !== null) return { claimedBy: claim.jobId };
  if ((await readIfThere(join(folder, 'claim', 'revoked'))) !== undefined) return { claimedBy: null };
  throw new Failure(
    'SharedDiskUnavailable',
    `${join(folder, 'claim')} exists, but says neither which job holds it nor that it was revoked: expected a file job_id in it. ` +
      'It is looked at again, since a network file system may show it late.',
    { retryAfterMs: 5000 },
  );
}
