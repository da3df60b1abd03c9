import { chmod } from 'node:fs/promises';

import { eachOf, walkTree } from './walk-tree.ts';

const filesAtOnce = 16;

/** Makes everything in a folder read-only, but not the folder itself: the proof is still to be written into it. */
export async function seal(folder: string): Promise<void> {
  const entries = (await walkTree(folder)).filter(({ stats }) => stats.isFile() || stats.isDirectory());
  // In this order folders come before what is in them, and an entry can be changed in a read-only folder.
  await eachOf(entries, filesAtOnce, async ({ path, stats }) => {
    const mode = stats.isDirectory() || (stats.mode & 0o111) !== 0 ? 0o555 : 0o444;
    if ((stats.mode & 0o7777) !== mode) await chmod(path, mode);
  });
}
