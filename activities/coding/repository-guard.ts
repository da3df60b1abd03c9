import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { Failure } from '../../infra/failure.ts';

/** The parts of a git directory by which a repository can make git run programs or talk to other servers. */
const watched = ['config', 'config.worktree', 'hooks', 'info'];

export interface RepositoryGuard {
  /** Puts back what was changed since, then throws `ChangeUnsafe` naming it. */
  check(): Promise<void>;
}

/** Remembers how git is set up before an agent, which may run any command, works in the repository. */
export async function guardRepository(mirror: string, source: string): Promise<RepositoryGuard> {
  const roots = [...watched.map((name) => join(mirror, name)), join(source, '.git')];
  const before = await readTrees(roots);
  return {
    async check() {
      const after = await readTrees(roots);
      const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
        (path) => digest(before.get(path)) !== digest(after.get(path)),
      );
      for (const path of changed) await restore(path, before.get(path));
      if (changed.length === 0) return;
      const names = changed.map((path) =>
        path.slice(path.startsWith(mirror) ? mirror.length + 1 : source.length + 1),
      );
      throw new Failure(
        'ChangeUnsafe',
        `the coding agent changed how git is set up (${names.join(', ')}); it was put back. Read the transcript before starting again`,
      );
    },
  };
}

async function readTrees(roots: readonly string[]): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const root of roots) await readTree(root, files);
  return files;
}

async function readTree(path: string, files: Map<string, Buffer>): Promise<void> {
  try {
    files.set(path, await readFile(path));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'ENOENT') return;
    if (code !== 'EISDIR') throw error;
    for (const name of await readdir(path)) await readTree(join(path, name), files);
  }
}

async function restore(path: string, content: Buffer | undefined): Promise<void> {
  await rm(path, { recursive: true, force: true });
  if (content === undefined) return;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

function digest(content: Buffer | undefined): string {
  return content === undefined ? 'none' : createHash('sha256').update(content).digest('hex');
}
