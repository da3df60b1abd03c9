import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

/**
 * Kills every process whose environment holds `marker` (`NAME=value`): an agent's shells live in process groups of
 * their own and outlive it. Looks again until none is left, since a process may have forked meanwhile. Where there is
 * no /proc nothing is found. Returns how many were killed.
 */
export async function killLeftOvers(marker: string): Promise<number> {
  let killed = 0;
  for (let round = 0; round < 20; round += 1) {
    const found = await findMarked(marker);
    if (found.length === 0) return killed;
    for (const pid of found) killed += kill(pid) ? 1 : 0;
    await wait(20);
  }
  return killed;
}

async function findMarked(marker: string): Promise<number[]> {
  const pids = (await unlessGone(readdir('/proc'))) ?? [];
  const marked = await Promise.all(
    pids
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .map(async (name) => {
        const environ = await unlessGone(readFile(`/proc/${name}/environ`, 'utf8'));
        return environ?.split('\0').includes(marker) === true ? [Number(name)] : [];
      }),
  );
  return marked.flat();
}

/** SIGKILL; false when the process was gone already. */
function kill(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
    throw error;
  }
}

/** Processes end while they are looked at, and those of other users cannot be read. */
async function unlessGone<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(codeOf(error))) return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
