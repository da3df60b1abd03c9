import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { unlessMissing } from '../../infra/unless-missing.ts';

import { whenUnlocked } from './hold-lock.ts';
import { readProof } from './proof.ts';

/** Removes an environment, or what is left of one. Read-only folders are opened first: nothing can leave them otherwise. */
export async function removeEnvironment(path: string): Promise<void> {
  const entry = await unlessMissing(lstat(path));
  if (entry === undefined) return;
  if (entry.isDirectory()) await open(path);
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

async function open(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await open(join(folder, entry.name));
  }
}

/** Whatever stands at the final path without a proof, and every folder that an earlier builder left. Needs its lock. */
export async function removeUnproven(folder: string): Promise<void> {
  if ((await readProof(folder)) === undefined) await removeEnvironment(folder);
  const names = await readdir(dirname(folder));
  const leftovers = names.filter((name) => digestOf(name) === basename(folder) && name !== basename(folder));
  await Promise.all(leftovers.map((name) => removeEnvironment(join(dirname(folder), name))));
}

/**
 * Removes what killed builders left for digests that nobody builds at this moment. What belongs to another user is left
 * to that user's own workers.
 */
export async function sweepStale(environments: string): Promise<void> {
  const names = await readdir(environments);
  for (const digest of new Set(names.map(digestOf).filter((name) => name !== undefined))) {
    const folder = join(environments, digest);
    const temporary = names.some((name) => name !== digest && digestOf(name) === digest);
    if (!temporary && (await readProof(folder)) !== undefined) continue;
    await whenUnlocked(folder, () => removeUnproven(folder)).catch((error: unknown) => {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      if (code !== 'EACCES' && code !== 'EPERM') throw error;
    });
  }
}

/** Of the folder of an environment and of those in which it is built. */
function digestOf(name: string): string | undefined {
  return /^([0-9a-f]{32})(?:\.[A-Za-z0-9]{6})?$/.exec(name)?.[1];
}
