import { readFile } from 'node:fs/promises';

import { execa } from 'execa';

import { unlessGone } from './unless-gone.ts';

/**
 * What tells a process from every other that ever had its number: when it began, and in which life of the machine.
 * Null when there is no such process, or only what is left of it until its parent has asked for its end.
 */
export async function processIdentity(pid: number): Promise<string | null> {
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

/** proc(5): what follows the name, which may hold anything, begins with the state; the start time is the 22nd field. */
async function fromProc(pid: number): Promise<string | null> {
  const stat = await unlessGone(readFile(`/proc/${pid}/stat`, 'utf8'));
  if (stat === undefined) return null;
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return null;
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  return `${boot} ${fields[18] ?? ''}`;
}

async function fromPs(pid: number): Promise<string | null> {
  const { failed, stdout } = await execa('ps', ['-o', 'lstart=', '-p', String(pid)], { reject: false });
  const started = stdout.trim();
  return failed || started === '' ? null : started;
}
