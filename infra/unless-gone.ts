import { unlessMissing } from './unless-missing.ts';

/** What a look at a process below /proc found; undefined where it ended before or meanwhile. Any other trouble is thrown. */
export async function unlessGone<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await unlessMissing(look);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return undefined;
    throw error;
  }
}
