import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { lock } from 'proper-lockfile';

import { toDiskFailure } from '../../infra/disk-failure.ts';
import { diskOf } from '../../infra/home/disk-kind.ts';
import type { SharedDiskSettings } from '../../infra/settings.ts';
import { unlessMissing } from '../../infra/unless-missing.ts';
import { good, type Check, type Finding } from './finding.ts';

const system = 'disk' as const;
const littleFree = 20 * 2 ** 30;
/** Locks of a holder that was not heard of for 30 s are taken over, so clocks that differ by more break them. */
const tolerableMs = 5000;

/** Writes into a folder of its own on the shared disk and removes it again: what jobs and workers rely on there. */
export function checkDisk(disk: SharedDiskSettings): Check {
  return {
    system,
    look: async () => {
      const { sharedDir } = disk;
      if ((await unlessMissing(stat(sharedDir))) === undefined) {
        const todo = `mount it, correct HEPHAESTUS_SHARED_DIR, or mkdir -p ${sharedDir} if it is a new one of this machine`;
        return [wrong(`${sharedDir} is not there`, 'code, environments and jobs live there', todo)];
      }
      const folder = join(sharedDir, `.hephaestus-doctor-${randomUUID()}`);
      try {
        await mkdir(folder);
        return [
          good(system, `${sharedDir} can be written`),
          await renameFinding(folder),
          await lockFinding(folder),
          await clockFinding(folder),
          await roomFinding(sharedDir),
          await jobPathFinding(disk, folder),
        ];
      } catch (error) {
        const failure = toDiskFailure(error, sharedDir);
        if (failure === null) throw error;
        return [
          wrong(
            failure.message,
            'code, environments and jobs live there',
            'mend the disk, its mount or its permissions',
          ),
        ];
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

async function renameFinding(folder: string): Promise<Finding> {
  const [from, to] = [join(folder, 'new'), join(folder, 'old')];
  await writeFile(to, 'old');
  await writeFile(from, 'new');
  await rename(from, to);
  return (await readFile(to, 'utf8')) === 'new'
    ? good(system, 'a rename replaces a file at once')
    : wrong(
        'a rename does not replace a file at once',
        'readers would see half of what is written',
        'use a disk with POSIX renames',
      );
}

async function lockFinding(folder: string): Promise<Finding> {
  const file = join(folder, 'lock');
  const options = { realpath: false, stale: 30_000 };
  const release = await lock(file, options);
  try {
    const second = await lock(file, options);
    await second();
    return wrong(
      'two processes can hold one lock',
      'two builds or two uploads would write the same files',
      'use a disk on which mkdir is exclusive',
    );
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ELOCKED')) throw error;
    return good(system, 'a lock keeps a second holder out');
  } finally {
    await release();
  }
}

async function clockFinding(folder: string): Promise<Finding> {
  const file = join(folder, 'time');
  const before = Date.now();
  await writeFile(file, 'now');
  const { mtimeMs } = await stat(file);
  const after = Date.now();
  const off = mtimeMs < before ? mtimeMs - before : Math.max(0, mtimeMs - after);
  const seconds = (off / 1000).toFixed(1);
  if (Math.abs(off) <= tolerableMs) return good(system, 'its clock is that of this machine');
  return {
    system,
    status: 'warning',
    what: `its clock is ${seconds} s off that of this machine`,
    why: 'whether a job is silent and whether a lock was left is told from file times',
    todo: 'let both machines follow the same time server',
  };
}

async function roomFinding(sharedDir: string): Promise<Finding> {
  const { freeBytes } = await diskOf(sharedDir);
  const what = `${(freeBytes / 2 ** 30).toFixed(1)} GB free`;
  if (freeBytes >= littleFree) return good(system, what);
  const why = 'an environment takes several gigabytes, checkpoints take more';
  return {
    system,
    status: 'warning',
    what,
    why,
    todo: 'free some: `hephaestus environment prune` removes what nothing uses',
  };
}

/** The job's own path exists on the cluster; here it is proven only where it can be seen. */
async function jobPathFinding(
  { sharedDir, jobSharedDir }: SharedDiskSettings,
  folder: string,
): Promise<Finding> {
  if (jobSharedDir === sharedDir) return good(system, 'jobs are told the same path');
  const seen = await unlessMissing(stat(join(jobSharedDir, folder.slice(sharedDir.length))));
  if (seen !== undefined)
    return good(system, `${jobSharedDir}, the path that jobs are told, is the same disk`);
  if ((await unlessMissing(stat(jobSharedDir))) === undefined) {
    const todo = `look from a job: ls ${jobSharedDir} must show what ls ${sharedDir} shows here`;
    return {
      system,
      status: 'skipped',
      what: `${jobSharedDir}, the path that jobs are told, cannot be seen from here`,
      why: '',
      todo,
    };
  }
  return wrong(
    `${jobSharedDir}, the path that jobs are told, shows another disk here than ${sharedDir}`,
    'a job would not find its start script',
    'correct HEPHAESTUS_JOB_SHARED_DIR, unless that path only means something else on this machine',
  );
}

function wrong(what: string, why: string, todo: string): Finding {
  return { system, status: 'bad', what, why, todo };
}
