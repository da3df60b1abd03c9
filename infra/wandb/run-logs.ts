import { constants } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import { dirname, join, matchesGlob, relative } from 'node:path';

import type { RunFacts } from '../../domain/run-state.ts';
import { unlessMissing } from '../unless-missing.ts';
import { type ItemTree, setItem, treeItems } from './item-tree.ts';
import type { KnownLog, LogMemory } from './log-memory.ts';
import { type LoggedRun, readTransactionLog, type TransactionLog } from './transaction-log.ts';

/** All logs of one run, read as one: a job that was started again goes on in a log of its own. */
export interface RunLogs {
  /** Oldest first. */
  readonly logs: readonly string[];
  readonly run: LoggedRun | null;
  readonly rows: number;
  readonly lastStep: number | null;
  /** Of the newest log. */
  readonly exit: TransactionLog['exit'];
  readonly summary: ItemTree;
  /** Names of files that were announced and lie in a run's `files` folder. */
  readonly files: readonly string[];
  readonly damage: RunFacts['log']['damage'];
  /** By log, what its mirror put aside. */
  readonly known: ReadonlyMap<string, KnownLog>;
}

/**
 * Reads all logs of a run; `logs` are the oldest first. An older log may end in the middle: its job was killed. Of what
 * the memory knows, the end alone is read.
 */
export async function readRunLogs(logs: readonly string[], memory?: LogMemory): Promise<RunLogs> {
  const known = new Map<string, KnownLog>();
  let all: Omit<RunLogs, 'logs' | 'files' | 'known'> = {
    run: null,
    rows: 0,
    lastStep: null,
    exit: null,
    summary: new Map(),
    damage: null,
  };
  const files = new Set<string>();
  for (const path of logs) {
    const recalled = await memory?.recall(path);
    if (recalled !== undefined) known.set(path, recalled);
    const log = recalled?.log ?? (await readTransactionLog(path));
    for (const item of treeItems(log.summary)) setItem(all.summary, item);
    for (const name of await announcedFiles(join(dirname(path), 'files'), log.files)) files.add(name);
    all = {
      run: log.run ?? all.run,
      rows: all.rows + log.rows,
      lastStep: larger(all.lastStep, log.lastStep),
      exit: log.exit,
      summary: all.summary,
      damage:
        all.damage ?? (log.end.status === 'corrupt' ? { byte: log.end.offset, why: log.end.why } : null),
    };
  }
  return { ...all, logs, files: [...files], known };
}

/** What of it decides the state of the run. */
export function logFacts({ run, rows, lastStep, exit, damage }: RunLogs): RunFacts['log'] {
  return { runId: run?.runId ?? null, rows, lastStep, exitCode: exit?.code ?? null, damage };
}

/** Whether the real client may write beside a log, as it does while it sends. */
export async function isWritable(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function announcedFiles(folder: string, patterns: readonly string[]): Promise<string[]> {
  if (patterns.length === 0) return [];
  const entries = await unlessMissing(readdir(folder, { withFileTypes: true, recursive: true }));
  return (entries ?? [])
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((name) => patterns.some((pattern) => pattern === name || matchesGlob(name, pattern)));
}

function larger(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.max(a, b);
}
