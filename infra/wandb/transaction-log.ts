import { type ItemTree, removeItem, setItem } from './item-tree.ts';
import { type LogEnd, readLogRecords } from './log-records.ts';
import { decodeWandbRecord, peekStep, type WandbRecord } from './wandb-record.ts';

/** What a run wrote about itself; '' where it said nothing (W&B then takes defaults). */
export interface LoggedRun {
  readonly runId: string;
  readonly entity: string;
  readonly project: string;
  readonly group: string;
  readonly jobType: string;
  readonly displayName: string;
  readonly notes: string;
  readonly tags: readonly string[];
  readonly host: string;
  /** By name, as JSON text. */
  readonly config: ItemTree;
}

/** A summary of one `run-<id>.wandb`. */
export interface TransactionLog {
  /** Null when the file ends before the run told its name. */
  readonly run: LoggedRun | null;
  /** History rows, each of which is one line on the server. */
  readonly rows: number;
  /** The largest `_step`; null without rows. */
  readonly lastStep: number | null;
  /** Null when the run is still alive or was killed: the file cannot tell which. */
  readonly exit: { readonly code: number; readonly runtimeSeconds: number } | null;
  /** What the run's summary became. */
  readonly summary: ItemTree;
  /** Patterns of the names of files that belong to the run, relative to its `files` folder. */
  readonly files: readonly string[];
  /** Version of the W&B client that wrote it, '' when unknown. */
  readonly producer: string;
  readonly end: LogEnd;
}

type Growing = { -readonly [K in keyof Omit<TransactionLog, 'end' | 'files'>]: TransactionLog[K] } & {
  readonly files: string[];
};

/**
 * Reads a transaction log through and tells what it holds. Never throws for its content: `end` says how far the file
 * is sound, and nothing behind that place is counted. Throws what the file system throws.
 */
export async function readTransactionLog(path: string): Promise<TransactionLog> {
  const log: Growing = {
    run: null,
    rows: 0,
    lastStep: null,
    exit: null,
    summary: new Map(),
    files: [],
    producer: '',
  };
  const records = readLogRecords(path);
  for (;;) {
    const next = await records.next();
    if (next.done === true) return { ...log, end: next.value };
    const { payload, offset } = next.value;
    if (!addRecord(log, payload)) {
      await records.return({ status: 'complete' });
      return { ...log, end: { status: 'corrupt', offset, why: 'a record cannot be decoded' } };
    }
  }
}

/** The first thing that a log says: whose it is. Null while that has not reached the disk. Reads the first block alone. */
export async function readLoggedRun(path: string): Promise<LoggedRun | null> {
  const records = readLogRecords(path);
  for (;;) {
    const next = await records.next();
    if (next.done === true) return null;
    const run = decodeWandbRecord(next.value.payload)?.run;
    if (run === undefined) continue;
    await records.return({ status: 'complete' });
    return describe(run);
  }
}

function addRecord(log: Growing, payload: Buffer): boolean {
  const step = peekStep(payload);
  if (step === undefined) return false;
  if (step !== null) {
    log.rows += 1;
    log.lastStep = Math.max(log.lastStep ?? step, step);
    return true;
  }
  const record = decodeWandbRecord(payload);
  if (record === undefined) return false;
  if (record.run !== undefined) log.run = describe(record.run);
  if (record.exit !== undefined) {
    log.exit = { code: record.exit.exitCode, runtimeSeconds: record.exit.runtime };
  }
  if (record.summary !== undefined) applySummary(log.summary, record.summary);
  if (record.files !== undefined) log.files.push(...record.files.files.map(({ path }) => path));
  log.producer = record.header?.versionInfo?.producer ?? log.producer;
  return true;
}

/** What one summary record makes of the summary. */
export function applySummary(tree: ItemTree, { update, remove }: NonNullable<WandbRecord['summary']>): void {
  for (const item of update) setItem(tree, item);
  for (const { path } of remove) removeItem(tree, path);
}

function describe(run: NonNullable<WandbRecord['run']>): LoggedRun {
  const { runGroup, config, ...rest } = run;
  const tree: ItemTree = new Map();
  for (const item of config?.update ?? []) setItem(tree, item);
  return { ...rest, group: runGroup, config: tree };
}
