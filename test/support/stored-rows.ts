import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The history rows of the one run of a W&B stand-in, as they lie on its disk, by their index: of a line that was set more
 * than once the last counts, as on the server. `directory`: that of the stand-in.
 */
export async function storedRows(directory: string): Promise<readonly string[]> {
  const runs = join(directory, 'runs');
  const [folder = ''] = await readdir(runs);
  const text = await readFile(join(runs, folder, 'history.lines'), 'utf8');
  const rows: string[] = [];
  for (const line of text.trimEnd().split('\n')) {
    const tab = line.indexOf('\t');
    rows[Number(line.slice(0, tab))] = line.slice(tab + 1);
  }
  return rows;
}
