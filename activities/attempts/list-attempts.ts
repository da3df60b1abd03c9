import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { JobKey } from './interface.ts';
import { exists, isMissing, requireFolder } from './shared-disk.ts';

/** Looks at this many folders at one time: a network file system answers each in its own time. */
const sideBySide = 32;

export interface FoundAttempts<T> {
  readonly attempts: readonly T[];
  readonly passed: number;
  /** The experiment with which the page ended; null when there are no more. */
  readonly next: string | null;
}

export interface ListAttemptsOptions<T> {
  readonly sharedDir: string;
  /** The experiment with which the last page ended; null for the first page. */
  readonly after: string | null;
  readonly limit: number;
  /** What is wanted of an attempt without an exit record; null to pass it over. */
  readonly look: (key: JobKey, folder: string) => Promise<T | null>;
  /** Called for each experiment. */
  readonly onProgress?: (experimentId: string) => void;
}

/**
 * The attempts on the shared disk, experiment by experiment in the order of their names, until `limit` were found. Those
 * with an exit record cost one look at its name. Throws `SharedDiskUnavailable` when the disk is not there.
 */
export async function listAttempts<T>(options: ListAttemptsOptions<T>): Promise<FoundAttempts<T>> {
  const { sharedDir, after, limit, onProgress } = options;
  await requireFolder(sharedDir, 'The shared disk', 'Mount it, or correct HEPHAESTUS_SHARED_DIR.');
  const root = join(sharedDir, 'experiments');
  const experiments = (await foldersIn(root, /^[a-z0-9][a-z0-9-]*$/)).toSorted();
  const attempts: T[] = [];
  let passed = 0;
  for (const experimentId of experiments) {
    if (after !== null && experimentId <= after) continue;
    onProgress?.(experimentId);
    const found = await attemptsOf(join(root, experimentId, 'attempts'), experimentId, options);
    attempts.push(...found.attempts);
    passed += found.passed;
    if (attempts.length >= limit) {
      const isLast = experimentId === experiments.at(-1);
      return { attempts, passed, next: isLast ? null : experimentId };
    }
  }
  return { attempts, passed, next: null };
}

async function attemptsOf<T>(
  root: string,
  experimentId: string,
  { look }: ListAttemptsOptions<T>,
): Promise<Omit<FoundAttempts<T>, 'next'>> {
  const keys: { readonly key: JobKey; readonly folder: string }[] = [];
  for (const attempt of await foldersIn(root, number)) {
    for (const seed of await foldersIn(join(root, attempt), number)) {
      const key = { experimentId, attempt: Number(attempt), seed: Number(seed) };
      keys.push({ key, folder: join(root, attempt, seed) });
    }
  }
  const found = await inChunks(keys, async ({ key, folder }) =>
    (await exists(join(folder, 'exit.json'))) ? null : look(key, folder),
  );
  const attempts = found.filter((each) => each !== null);
  return { attempts, passed: found.length - attempts.length };
}

const number = /^\d{1,9}$/;

/** The results of `act`, in the order of the items; a bounded number of acts at one time. */
export async function inChunks<In, Out>(
  items: readonly In[],
  act: (item: In) => Promise<Out>,
): Promise<Out[]> {
  const results: Out[] = [];
  for (let start = 0; start < items.length; start += sideBySide) {
    results.push(
      ...(await Promise.all(items.slice(start, start + sideBySide).map(async (item) => act(item)))),
    );
  }
  return results;
}

async function foldersIn(path: string, pattern: RegExp): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isDirectory() && pattern.test(entry.name) ? [entry.name] : []));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
