import { lstat, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { taskNotePath } from '../../domain/ids.ts';
import { formatTaskNote } from '../../domain/task-note-text.ts';
import { git, type GitCall } from '../../infra/git/run-git.ts';
import { unlessMissing } from '../../infra/unless-missing.ts';
import type { ImplementInput } from './interface.ts';

/**
 * Writes the task note into the worktree, for the agent to read. Whatever the agent left in its place goes, and so does a
 * file or a link in the place of its folders: the note must not be written where a link leads.
 */
export async function placeTaskNote(source: string, input: ImplementInput): Promise<void> {
  const path = taskNotePath(input.experimentId);
  let folder = source;
  for (const name of dirname(path).split('/')) {
    folder = join(folder, name);
    const found = await unlessMissing(lstat(folder));
    if (found?.isDirectory()) continue;
    await rm(folder, { force: true });
    await mkdir(folder);
  }
  await rm(join(source, path), { recursive: true, force: true });
  await writeFile(join(source, path), formatTaskNote(input), { flag: 'wx' });
}

/**
 * Puts the task note into the index past the worktree: the repository may ignore its path or filter its content, and a
 * repository that the agent made around it would hide it from git.
 */
export async function stageTaskNote(input: ImplementInput, call: GitCall): Promise<void> {
  const blob = await git(['hash-object', '-w', '--stdin'], { ...call, input: formatTaskNote(input) });
  const entry = `100644,${blob},${taskNotePath(input.experimentId)}`;
  await git(['update-index', '--add', '--replace', '--cacheinfo', entry], call);
}
