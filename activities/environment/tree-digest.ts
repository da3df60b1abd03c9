import { createHash, hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, readlink } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

import { eachOf, walkTree, type TreeEntry } from './walk-tree.ts';

export interface TreeDigest {
  /** SHA-256 over name, mode and content of everything, hexadecimal. */
  readonly digest: string;
  /** Files and links to them, without folders and the proof itself. */
  readonly files: number;
  readonly bytes: number;
}

const proofName = 'environment.json';
/** Larger files are read in pieces, so that memory does not grow with them. */
const streamedBytes = 8 * 1024 * 1024;
const filesAtOnce = 16;

/**
 * Names an environment by what is in it. Equal digests mean equal names, permissions, contents and link targets; times
 * and owners do not count, for they differ after an honest copy.
 */
export async function treeDigest(folder: string): Promise<TreeDigest> {
  const entries = (await walkTree(folder)).filter(({ name }) => name !== proofName);
  const contents = new Map<string, string>();
  await eachOf(entries, filesAtOnce, async (entry) => {
    contents.set(entry.name, await contentOf(entry));
  });
  const digest = createHash('sha256');
  for (const { name, stats } of entries) {
    const mode = stats.isSymbolicLink() ? 'link' : (stats.mode & 0o7777).toString(8);
    digest.update(`${name}\0${mode}\0${contents.get(name) ?? ''}\n`);
  }
  const files = entries.filter(({ stats }) => !stats.isDirectory());
  const regular = files.filter(({ stats }) => stats.isFile());
  return {
    digest: digest.digest('hex'),
    files: files.length,
    bytes: regular.reduce((sum, { stats }) => sum + stats.size, 0),
  };
}

async function contentOf({ path, stats }: TreeEntry): Promise<string> {
  if (stats.isSymbolicLink()) return `-> ${await readlink(path)}`;
  if (!stats.isFile()) return stats.isDirectory() ? 'folder' : 'special';
  if (stats.size <= streamedBytes) return hash('sha256', await readFile(path), 'hex');
  const content = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), content);
  return content.digest('hex');
}
