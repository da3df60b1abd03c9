import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

import { z } from 'zod';

/** More threads than this only make a shared disk slower for the others. */
const mostThreads = 4;

/** SHA-256 of every file, hexadecimal, by path; in threads, so that activities beside it keep answering. */
export async function hashFiles(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const threads = Math.min(mostThreads, Math.max(2, availableParallelism()));
  // Neighbours go to different threads: the large files of a tree stand together.
  const shares = Array.from({ length: threads }, (_, thread) =>
    paths.filter((_path, index) => index % threads === thread),
  ).filter((share) => share.length > 0);
  const hashes = await Promise.all(shares.map(hashShare));
  return new Map(hashes.flat());
}

async function hashShare(paths: readonly string[]): Promise<readonly (readonly [string, string])[]> {
  const worker = new Worker(new URL(`./hash-files-worker${extname(import.meta.filename)}`, import.meta.url), {
    workerData: paths,
  });
  try {
    // Rejects with the error of the thread, for example of a file that cannot be read.
    const [message] = await once(worker, 'message');
    const hashes = z.array(z.string()).length(paths.length).parse(message);
    return paths.map((path, index) => [path, hashes[index] ?? '']);
  } finally {
    await worker.terminate();
  }
}
