/** The codes by which a file system says that nothing stands at a path. */
const missing = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

/** What a look at a path found; undefined where nothing stands. Any other trouble with the disk is thrown. */
export async function unlessMissing<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (error instanceof Error && 'code' in error && missing.has(String(error.code))) return undefined;
    throw error;
  }
}
