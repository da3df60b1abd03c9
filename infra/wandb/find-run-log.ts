import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** The logs of runs that lie in one folder, told apart by what may be done with them. */
export interface FoundLogs {
  /** `run-<runId>.wandb` of the wanted run, written offline; several when the job began it more than once. Oldest first. */
  readonly offline: readonly string[];
  /** The wanted run's folder is one of an online run: the job tried to reach the server itself. */
  readonly online: readonly string[];
  /** Ids of other runs that were begun there. */
  readonly otherIds: readonly string[];
}

const runFolder = /^(offline-run|run)-\d{8}_\d{6}-/;
const logName = /^run-(.+)\.wandb$/;

/**
 * Looks for a run's log below a `WANDB_DIR`. W&B puts its run folders into `wandb/` or `.wandb/` below that directory,
 * and a script may set `WANDB_DIR` to the `wandb/` that is there already.
 * Links such as `latest-run` are not followed. A missing directory holds no logs.
 */
export async function findRunLogs(wandbDir: string, runId: string): Promise<FoundLogs> {
  const folders = ['.', 'wandb', '.wandb', 'wandb/wandb'].map((folder) => join(wandbDir, folder));
  const logs = (await Promise.all(folders.map(logsIn))).flat();
  const wanted = logs.filter((log) => log.runId === runId);
  return {
    offline: wanted.filter((log) => !log.online).map(({ path }) => path),
    online: wanted.filter((log) => log.online).map(({ path }) => path),
    otherIds: [...new Set(logs.filter((log) => log.runId !== runId).map((log) => log.runId))],
  };
}

interface Log {
  readonly path: string;
  readonly runId: string;
  readonly online: boolean;
}

async function logsIn(directory: string): Promise<Log[]> {
  const entries = await listDirectory(directory);
  const folders = entries
    .filter((entry) => entry.isDirectory() && runFolder.test(entry.name))
    .map(({ name }) => name)
    // The names begin with the time of the start.
    .toSorted();
  const found = await Promise.all(
    folders.map(async (folder) => {
      const files = await listDirectory(join(directory, folder));
      return files.flatMap(({ name }): Log[] => {
        const runId = logName.exec(name)?.[1];
        if (runId === undefined) return [];
        return [{ path: join(directory, folder, name), runId, online: !folder.startsWith('offline-') }];
      });
    }),
  );
  return found.flat();
}

async function listDirectory(path: string) {
  return readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
}
