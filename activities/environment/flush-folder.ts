import { execa } from 'execa';

import { Failure } from '../../infra/failure.ts';

/**
 * Waits until everything on the folder's file system lies on the disk itself; `sync` does that at once, where Node could
 * only ask for each of ten thousand files. `searchPath` is a PATH. Throws `SharedDiskUnavailable`.
 */
export async function flushFolder(folder: string, searchPath: string, signal: AbortSignal): Promise<void> {
  const { exitCode, stderr, shortMessage } = await execa('sync', ['-f', folder], {
    env: { PATH: searchPath, LC_ALL: 'C' },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    cancelSignal: signal,
  });
  signal.throwIfAborted();
  if (exitCode === 0) return;
  throw new Failure(
    'SharedDiskUnavailable',
    `${folder} could not be written to the disk itself: ${stderr.trim() || (shortMessage ?? 'sync failed')}. It is tried again.`,
  );
}
