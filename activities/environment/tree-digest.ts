import { createHash } from 'node:crypto';
import { readlink } from 'node:fs/promises';

import { hashFiles } from './hash-files.ts';
import { walkTree, type TreeEntry } from './walk-tree.ts';

export interface TreeDigest {
  /** SHA-256 over name, mode and content of everything, hexadecimal. */
  readonly digest: string;
  /** Files and links, without folders and the proof itself. */
  readonly files: number;
  readonly bytes: number;
}

const proofName = 'environment.json';

/**
 * Names an environment by what is in it. Equal digests mean equal names, permissions, contents and link targets; times
 * and owners do not count, for they differ after an honest copy.
 */
export async function treeDigest(folder: string): Promise<TreeDigest> {
  const entries = (await walkTree(folder)).filter(({ name }) => name !== proofName);
  const regular = entries.filter(({ stats }) => stats.isFile());
  const hashes = await hashFiles(regular.map(({ path }) => path));
  const digest = createHash('sha256');
  for (const entry of entries) {
    const { name, stats } = entry;
    const mode = stats.isSymbolicLink() ? 'link' : (stats.mode & 0o7777).toString(8);
    digest.update(`${name}\0${mode}\0${hashes.get(entry.path) ?? (await otherContent(entry))}\n`);
  }
  return {
    digest: digest.digest('hex'),
    files: entries.filter(({ stats }) => !stats.isDirectory()).length,
    bytes: regular.reduce((sum, { stats }) => sum + stats.size, 0),
  };
}

async function otherContent({ path, stats }: TreeEntry): Promise<string> {
  if (stats.isSymbolicLink()) return `-> ${await readlink(path)}`;
  return stats.isDirectory() ? 'folder' : 'special';
}
