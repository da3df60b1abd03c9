import { readdir, readFile } from 'node:fs/promises';

import { memoryOf } from '../../../infra/memory-of.ts';
import { processIdentity } from '../../../infra/process-identity.ts';
import { unlessGone } from '../../../infra/unless-gone.ts';

/** What a process has used so far. */
export interface ProcessUse {
  readonly memoryBytes: number;
  readonly cpuSeconds: number;
}

/** Linux counts a process's time in these. */
const ticksPerSecond = 100;

export async function processUse(pid: number): Promise<ProcessUse> {
  const [memoryBytes, stat] = await Promise.all([memoryOf(pid), readFile(`/proc/${pid}/stat`, 'utf8')]);
  // After the name in brackets: the 12th and 13th fields are the time in user and kernel mode.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { memoryBytes: memoryBytes ?? 0, cpuSeconds: ticks / ticksPerSecond };
}

/** What they have used together; one that has ended meanwhile counts as nothing. */
export async function useOfAll(pids: readonly number[]): Promise<ProcessUse> {
  const uses = await Promise.all(pids.map((pid) => unlessGone(processUse(pid))));
  const sum = (of: keyof ProcessUse): number => uses.reduce((all, use) => all + (use?.[of] ?? 0), 0);
  return { memoryBytes: sum('memoryBytes'), cpuSeconds: sum('cpuSeconds') };
}

/** A process as it began: its number is given to another one once it is gone. */
export interface KnownProcess {
  readonly pid: number;
  /** See `processIdentity`; null for one that is gone already. */
  readonly identity: string | null;
}

export async function knownProcess(pid: number): Promise<KnownProcess> {
  return { pid, identity: await processIdentity(pid) };
}

/** Those of the processes that are still there, and every other one that was started below the folder. */
export async function aliveProcesses(known: readonly KnownProcess[], directory: string): Promise<string[]> {
  const identities = new Map(known.map(({ pid, identity }) => [pid, identity]));
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = (await unlessGone(readFile(`/proc/${pid}/cmdline`, 'utf8'))) ?? '';
      const identity = identities.get(pid) ?? null;
      const isKnown = identity !== null && (await processIdentity(pid)) === identity;
      const ours = isKnown || command.includes(directory);
      return ours ? `${pid} ${command.replaceAll('\0', ' ').trim()}` : undefined;
    }),
  );
  return found.filter((line) => line !== undefined);
}
