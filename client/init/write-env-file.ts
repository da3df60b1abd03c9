import { copyFile, chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { execa } from 'execa';
import writeFileAtomic from 'write-file-atomic';

import type { Environment } from '../../infra/env.ts';
import { childEnvironment } from '../../infra/tools/tool-environment.ts';
import { envText, type Values } from './env-text.ts';

const template = join(import.meta.dirname, '..', '..', '.env.example');

/** Only its owner may read it: it holds secrets. */
const mode = 0o600;

/**
 * Writes `.env` in the folder, at once or not at all. `replace`: what stands there now is kept beside it. Returns the name
 * of that copy, null when there was nothing to keep.
 */
export async function writeEnvFile(
  directory: string,
  values: Values,
  { replace }: { readonly replace: boolean },
): Promise<{ readonly copy: string | null }> {
  const path = join(directory, '.env');
  const text = envText(await readFile(template, 'utf8'), values);
  const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const copy = replace ? `${path}.${stamp}.bak` : null;
  if (copy !== null) {
    await copyFile(path, copy);
    await chmod(copy, mode);
  }
  await writeFileAtomic(path, text, { mode });
  return { copy };
}

/** Whether git would take the file into a commit; false where there is no repository, or no git. */
export async function wouldBeCommitted(directory: string, env: Environment): Promise<boolean> {
  const { exitCode } = await execa('git', ['check-ignore', '--quiet', '.env'], {
    cwd: directory,
    env: childEnvironment(env),
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
  });
  // 0: ignored, 1: not ignored, 128: no repository.
  return exitCode === 1;
}
