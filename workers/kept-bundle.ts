import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import writeFileAtomic from 'write-file-atomic';

/** All that a bundle is made of; what comes from packages is named by the lock. */
export const bundledFolders = ['workflows', 'domain'] as const;

/**
 * The workflows of a checkout bundled into one file, made once for each state of their sources: bundling costs each start of a
 * worker a second and a half. Returns the file's path, below `node_modules/.cache`, where it may be deleted at any time.
 */
export async function keptBundle(root: string): Promise<string> {
  const file = join(cacheOf(root), `workflows-${await digestOf(root)}.cjs`);
  if (existsSync(file)) return file;
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(root, 'workflows', 'index.ts'),
    logger: new DefaultLogger('WARN'),
  });
  await mkdir(dirname(file), { recursive: true });
  await writeFileAtomic(file, code);
  return file;
}

function cacheOf(root: string): string {
  return join(root, 'node_modules', '.cache', 'hephaestus');
}

async function digestOf(root: string): Promise<string> {
  const folders = await Promise.all(bundledFolders.map((folder) => sourcesBelow(join(root, folder))));
  const files = [join(root, 'package-lock.json'), ...folders.flat()];
  const hash = createHash('sha256').update(process.version);
  for (const [index, content] of (await Promise.all(files.map((file) => readFile(file)))).entries()) {
    hash.update(`\0${files[index]}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 32);
}

async function sourcesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}
