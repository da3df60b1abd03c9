import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface TreeEntry {
  /** Absolute. */
  readonly path: string;
  /** Below the walked folder, with forward slashes. */
  readonly name: string;
  readonly stats: Stats;
}

/** Enough to hide the latency of a network file system, few enough to hold only a small part of a tree in flight. */
const foldersAtOnce = 8;

/** Everything below a folder, each entry once, links not followed, sorted by name. */
export async function walkTree(folder: string): Promise<readonly TreeEntry[]> {
  const found: TreeEntry[] = [];
  const waiting = [''];
  // Not readdir's own recursion, which follows lib64 to lib and meets everything twice.
  while (waiting.length > 0) {
    await Promise.all(
      waiting.splice(-foldersAtOnce).map(async (directory) => {
        const entries = await look(folder, directory);
        for (const entry of entries) {
          found.push(entry);
          if (entry.stats.isDirectory()) waiting.push(`${entry.name}/`);
        }
      }),
    );
  }
  return found.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

async function look(folder: string, directory: string): Promise<readonly TreeEntry[]> {
  const names = await readdir(join(folder, directory));
  return Promise.all(
    names.map(async (entry) => {
      const name = directory + entry;
      const path = join(folder, name);
      return { path, name, stats: await lstat(path) };
    }),
  );
}

/** Runs `work` on every item, at most `atOnce` at a time. */
export async function eachOf<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: Math.min(atOnce, items.length) }, async () => {
      for (const item of rest) await work(item);
    }),
  );
}
