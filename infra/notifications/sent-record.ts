import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import writeFileAtomic from 'write-file-atomic';

/** `trying`: a try was begun, and nobody knows what became of it. */
export type SentState = 'new' | 'trying' | 'sent';

/** What was sent, on this machine's own disk: a try that died between the receiver's answer and Temporal is not repeated. */
export interface SentRecord {
  stateOf(id: string): Promise<SentState>;
  note(id: string, state: Exclude<SentState, 'new'>): Promise<void>;
  /** After a definite no: nothing arrived. */
  forget(id: string): Promise<void>;
}

const keptMs = 30 * 24 * 3_600_000;

export function openSentRecord(directory: string): SentRecord {
  const pathOf = (id: string): string =>
    join(directory, `${createHash('sha256').update(id).digest('hex').slice(0, 40)}.json`);
  return {
    async stateOf(id) {
      try {
        const { state } = JSON.parse(await readFile(pathOf(id), 'utf8')) as { readonly state?: unknown };
        return state === 'sent' ? 'sent' : 'trying';
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'new';
        // A damaged record proves only that there was a try.
        if (error instanceof SyntaxError) return 'trying';
        throw error;
      }
    },
    async note(id, state) {
      await mkdir(directory, { recursive: true });
      await writeFileAtomic(pathOf(id), `${JSON.stringify({ id, state, at: new Date().toISOString() })}\n`);
      await removeOld(directory);
    },
    forget: (id) => rm(pathOf(id), { force: true }),
  };
}

/** Temporal gives a message up after days: older records have nobody who would ask. */
async function removeOld(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const found = await stat(path).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    });
    if (found !== null && Date.now() - found.mtimeMs > keptMs) await rm(path, { force: true });
  }
}
