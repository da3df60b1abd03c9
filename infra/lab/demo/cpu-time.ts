import { readFile } from 'node:fs/promises';

/** CPU seconds of one process: its own, and those of the children that it has waited for. */
export interface CpuTime {
  readonly own: number;
  readonly children: number;
}

/** Of every Linux: `sysconf(_SC_CLK_TCK)` is 100 on all of its architectures that Node runs on. */
const ticksPerSecond = 100;

/** Reads `/proc/<pid>/stat` (proc(5): utime, stime, cutime and cstime are fields 14 to 17); zeros where there is none. */
export async function cpuTimeOf(pid: number): Promise<CpuTime> {
  let stat: string;
  try {
    stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error) return { own: 0, children: 0 };
    throw error;
  }
  // The command name in field 2 may hold spaces and parentheses.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const seconds = (from: number): number => ((fields[from] ?? 0) + (fields[from + 1] ?? 0)) / ticksPerSecond;
  return { own: seconds(11), children: seconds(13) };
}
