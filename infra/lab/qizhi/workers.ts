import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { isolatedCommand, type Isolation } from '../../isolation/isolation.ts';
import type { Job } from './job.ts';

export interface WorkersOptions {
  readonly isolation: Isolation;
  /** `PATH` of the jobs. */
  readonly path: string;
  /** Absolute paths of folders that no job sees; only where namespaces exist. */
  readonly hide: readonly string[];
}

/** How one node's process ended; `at`: ms since the epoch. */
export interface WorkerEnd {
  readonly code: number;
  readonly at: number;
}

const runWorker = join(import.meta.dirname, 'run-worker.sh');

/**
 * Starts the command on every node of a job, as processes that outlive this one. What an earlier round left is cleared
 * away, but for its output. `onExit` is called when a node has ended, as long as this process lives.
 */
export async function startWorkers(
  job: Job,
  folder: string,
  options: WorkersOptions,
  onExit: () => void,
): Promise<void> {
  for (const rank of ranksOf(job)) {
    const own = workerFolder(folder, rank);
    await mkdir(own, { recursive: true });
    await Promise.all(['code', 'pid'].map(async (name) => rm(join(own, name), { force: true })));
    const hostName = `${job.id}-worker-${rank}`;
    const command = isolatedCommand(options.isolation, ['sh', '-c', job.command], {
      hostName,
      hide: options.hide,
    });
    const child = spawn('sh', [runWorker, own, ...command], {
      cwd: own,
      detached: true,
      stdio: 'ignore',
      env: {
        PATH: options.path,
        LANG: 'C.UTF-8',
        // Where the host name cannot tell a job its id, this does; it also marks the job's processes.
        ...(options.isolation !== 'namespaces' && { HEPHAESTUS_JOB_ID: job.id }),
        PET_MASTER_ADDR: `${job.id}-worker-0`,
        PET_MASTER_PORT: '23456',
        PET_NNODES: String(job.nodes),
        PET_NODE_RANK: String(rank),
      },
    });
    await once(child, 'spawn');
    child.once('exit', onExit);
    child.unref();
  }
}

/** How each node's process ended; undefined for one that has not. */
export async function workerEnds(job: Job, folder: string): Promise<readonly (WorkerEnd | undefined)[]> {
  return Promise.all(
    ranksOf(job).map(async (rank) => {
      const path = join(workerFolder(folder, rank), 'code');
      const text = await readIfThere(path);
      return text === undefined ? undefined : { code: Number(text), at: (await stat(path)).mtimeMs };
    }),
  );
}

/**
 * Tells the first process of every node to end, as the platform does. False, and nobody is told, while a node has not
 * got that far: it would not hear it.
 */
export async function terminateWorkers(job: Job, folder: string): Promise<boolean> {
  const pids = await Promise.all(
    ranksOf(job).map(async (rank) => readIfThere(join(workerFolder(folder, rank), 'pid'))),
  );
  if (pids.includes(undefined)) return false;
  const alive = new Set(await processesOf(job.id));
  for (const pid of pids.map(Number)) {
    // Its number may belong to another program by now.
    if (alive.has(pid)) signal(pid, 'SIGTERM');
  }
  return true;
}

/** Kills whatever is left of a job, and returns when nothing is. */
export async function killProcesses(jobId: string): Promise<void> {
  for (;;) {
    const alive = await processesOf(jobId);
    if (alive.length === 0) return;
    for (const pid of alive) signal(pid, 'SIGKILL');
    await sleep(20);
  }
}

/** The job's processes, however far they have wandered: known by the environment that they were started with. */
export async function processesOf(jobId: string): Promise<readonly number[]> {
  return (await processesByJob()).get(jobId) ?? [];
}

const mark = /(?:^|\0)PET_MASTER_ADDR=(job-[0-9a-f-]+)-worker-0(?:\0|$)/;

/** The processes of every job. */
export async function processesByJob(): Promise<ReadonlyMap<string, readonly number[]>> {
  const found = new Map<string, number[]>();
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  await Promise.all(
    pids.map(async (pid) => {
      const jobId = mark.exec((await readIfThere(`/proc/${pid}/environ`)) ?? '')?.[1];
      if (jobId !== undefined) found.set(jobId, [...(found.get(jobId) ?? []), pid]);
    }),
  );
  return found;
}

function ranksOf(job: Job): readonly number[] {
  return Array.from({ length: job.nodes }, (_, rank) => rank);
}

function workerFolder(folder: string, rank: number): string {
  return join(folder, `worker-${rank}`);
}

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

/** A process may end, and its files with it, between two looks. */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
