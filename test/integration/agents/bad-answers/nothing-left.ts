import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'vitest';

/** No file below the folders holds a secret, and no process that an agent started below the places is left. */
export async function expectNothingLeft(
  folders: readonly string[],
  secrets: readonly string[],
  places: readonly string[] = folders,
): Promise<void> {
  for (const folder of folders) {
    for (const file of await filesOf(folder)) {
      const content = await readFile(file, 'latin1');
      for (const secret of secrets) expect(content.includes(secret), `${file} holds a secret`).toBe(false);
    }
  }
  expect(await agentProcesses(places)).toEqual([]);
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Command lines of living processes that stand where an agent was put. */
async function agentProcesses(folders: readonly string[]): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environ = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      const ours = folders.some((folder) => environ.includes(`HEPHAESTUS_AGENT_PLACE=${folder}`));
      return ours ? [await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')] : [];
    }),
  );
  return found.flat().filter((line) => line !== '');
}
