import { join } from 'node:path';

import { exists, writeDurably } from './shared-disk.ts';

/** Leaves the word that the start script looks for beside every heartbeat, and before it trains at all. */
export async function writeStopRequest(folder: string): Promise<void> {
  const path = join(folder, 'stop.json');
  // That it is there is the message: the first one says since when.
  if (await exists(path)) return;
  await writeDurably(path, `${JSON.stringify({ at: Date.now() })}\n`, 0o644);
}
