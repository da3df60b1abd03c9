import { readFile } from 'node:fs/promises';

import { unlessMissing } from './unless-missing.ts';

/** Resident memory of a process in bytes; null when it is gone, or on a machine without /proc. */
export async function memoryOf(pid: number): Promise<number | null> {
  try {
    const status = await unlessMissing(readFile(`/proc/${pid}/status`, 'utf8'));
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status ?? '')?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) * 1024;
  } catch (error) {
    // It ended while it was read.
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return null;
    throw error;
  }
}
