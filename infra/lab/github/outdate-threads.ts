import { gitOrNull } from './git.ts';
import type { LabPull } from './state.ts';

interface Hunk {
  readonly start: number;
  readonly removed: number;
  readonly added: number;
}

/** A thread follows its line through a push; when the line itself changed, the thread is outdated. */
export async function outdateThreads(
  folder: string,
  pull: LabPull,
  before: string,
  after: string,
): Promise<void> {
  const paths = new Set(pull.threads.filter(({ line }) => line !== null).map(({ path }) => path));
  for (const path of paths) {
    const diff = await gitOrNull(folder, ['diff', '-U0', '--no-renames', before, after, '--', path]);
    const hunks = diff === null ? [] : readHunks(diff);
    for (const thread of pull.threads) {
      if (thread.path === path && thread.line !== null) thread.line = follow(thread.line, hunks);
    }
  }
}

function readHunks(diff: string): Hunk[] {
  return [...diff.matchAll(/^@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@/gm)].map((found) => ({
    start: Number(found[1]),
    removed: Number(found[2] ?? 1),
    added: Number(found[3] ?? 1),
  }));
}

function follow(line: number, hunks: readonly Hunk[]): number | null {
  let shift = 0;
  for (const { start, removed, added } of hunks) {
    if (removed > 0 && line >= start && line < start + removed) return null;
    // A hunk that only adds names the line before what is added.
    if (removed === 0 ? start < line : start + removed <= line) shift += added - removed;
  }
  return line + shift;
}
