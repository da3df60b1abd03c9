import { open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

import type { RunFolder } from './find-runs.ts';
import { type LoggedRun, readLoggedRun } from './transaction-log.ts';

/** One run with all of its logs, oldest first. */
export interface FoundRun {
  readonly runId: string;
  /** Null while no log tells whose it is. */
  readonly run: LoggedRun | null;
  readonly logs: readonly string[];
  /** Bytes of all logs together. */
  readonly size: number;
  /** Logs that are copies of these, made by hand. */
  readonly copies: readonly string[];
  /** Logs of another run that bears the same id; null when there are none. Sent together they would be mixed up. */
  readonly rivals: readonly string[];
}

/**
 * Puts the logs of one run together. Several in one place are a run that was begun again there; in several places they
 * are copies of one another, or other runs that were given the same id.
 */
export async function groupRuns(folders: readonly RunFolder[]): Promise<FoundRun[]> {
  const byKey = new Map<string, { run: LoggedRun | null; byPlace: Map<string, string[]> }>();
  for (const { folder, runId, log } of folders) {
    const run = await readLoggedRun(log);
    const key = run === null ? log : [run.entity, run.project, run.runId || runId].join('\t');
    const known = byKey.get(key) ?? { run, byPlace: new Map<string, string[]>() };
    byKey.set(key, known);
    const place = dirname(folder);
    known.byPlace.set(place, [...(known.byPlace.get(place) ?? []), log]);
  }
  const idOf = new Map(folders.map(({ log, runId }) => [log, runId]));
  const found: FoundRun[] = [];
  for (const { run, byPlace } of byKey.values()) {
    const sets = await Promise.all([...byPlace.values()].map(describeSet));
    // The longest is the most whole one of several copies.
    const [best, ...others] = sets.toSorted((a, b) => b.size - a.size);
    if (best === undefined) continue;
    const isCopy = (each: LogSet): boolean => each.mark === best.mark;
    found.push({
      runId: run?.runId || (idOf.get(best.logs[0] ?? '') ?? ''),
      run,
      logs: best.logs,
      size: best.size,
      copies: others.filter(isCopy).flatMap(({ logs }) => logs),
      rivals: others.filter((each) => !isCopy(each)).flatMap(({ logs }) => logs),
    });
  }
  return found;
}

interface LogSet {
  readonly logs: readonly string[];
  readonly size: number;
  /** The beginning of the first log: it holds the moment at which the run was begun. */
  readonly mark: string;
}

/** Holds the header and the record of the run, which is written at once when a run is begun. */
const markBytes = 400;

async function describeSet(logs: readonly string[]): Promise<LogSet> {
  // The names of the folders begin with the time of the start.
  const sorted = logs.toSorted();
  const sizes = await Promise.all(sorted.map(async (log) => (await stat(log)).size));
  return {
    logs: sorted,
    size: sizes.reduce((sum, size) => sum + size, 0),
    mark: await firstBytes(sorted[0] ?? ''),
  };
}

async function firstBytes(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(markBytes), 0, markBytes, 0);
    return buffer.toString('base64', 0, bytesRead);
  } finally {
    await file.close();
  }
}
