import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { unlessMissing } from '../unless-missing.ts';

/** A folder of one offline run, with the log in it. */
export interface RunFolder {
  /** Absolute. */
  readonly folder: string;
  readonly runId: string;
  readonly log: string;
}

export interface FindRunsOptions {
  /** Folders that need not be opened: their runs are settled. Asked by absolute path. */
  readonly isSettled?: (folder: string) => boolean;
  readonly signal?: AbortSignal;
}

const runFolder = /^offline-run-\d{8}_\d{6}-/;
const onlineFolder = /^run-\d{8}_\d{6}-/;
const logName = /^run-(.+)\.wandb$/;
/** What never holds runs and may hold very many files. */
const skipped = new Set(['.git', 'node_modules', 'environments', 'source', 'venv', '.venv', '__pycache__']);
/** Deeper than any layout that people use, and an end where a disk loops. */
const mostDepth = 12;
const sideBySide = 32;

/**
 * All offline runs below a folder, or in it, or the one that it is. Links such as `latest-run` are not followed. Also
 * counts the settled ones, which are not opened. A missing folder holds none.
 */
export async function findRuns(
  root: string,
  { isSettled = () => false, signal }: FindRunsOptions = {},
): Promise<{ readonly runs: readonly RunFolder[]; readonly settled: number }> {
  const runs: RunFolder[] = [];
  let settled = 0;
  let level: string[] = [root];
  const visit = async (folder: string, depth: number): Promise<string[]> => {
    const entries = (await unlessMissing(readdir(folder, { withFileTypes: true }))) ?? [];
    if (depth === 0) runs.push(...runsIn(folder, entries));
    const inner: string[] = [];
    for (const entry of entries) {
      if (!entry.isDirectory() || skipped.has(entry.name) || onlineFolder.test(entry.name)) continue;
      const path = join(folder, entry.name);
      if (isSettled(path)) settled += 1;
      else if (runFolder.test(entry.name)) runs.push(...(await openRun(path)));
      else inner.push(path);
    }
    return inner;
  };
  for (let depth = 0; level.length > 0 && depth <= mostDepth; depth += 1) {
    const next: string[] = [];
    for (let start = 0; start < level.length; start += sideBySide) {
      signal?.throwIfAborted();
      const some = level.slice(start, start + sideBySide);
      for (const inner of await Promise.all(some.map(async (each) => visit(each, depth))))
        next.push(...inner);
    }
    level = next;
  }
  return { runs, settled };
}

async function openRun(folder: string): Promise<RunFolder[]> {
  const entries = (await unlessMissing(readdir(folder, { withFileTypes: true }))) ?? [];
  return runsIn(folder, entries);
}

function runsIn(folder: string, entries: readonly Dirent[]): RunFolder[] {
  return entries.flatMap((entry): RunFolder[] => {
    const runId = logName.exec(entry.name)?.[1];
    if (runId === undefined || !entry.isFile()) return [];
    return [{ folder, runId, log: join(folder, entry.name) }];
  });
}
