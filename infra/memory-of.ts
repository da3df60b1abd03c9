import { readFile } from 'node:fs/promises';

import { unlessGone } from './unless-gone.ts';

/** Resident memory of a process in bytes; null when it is gone, or on a machine without /proc. */
export async function memoryOf(pid: number): Promise<number | null> {
  const status = await unlessGone(readFile(`/proc/${pid}/status`, 'utf8'));
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status ?? '')?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}
