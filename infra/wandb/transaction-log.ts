import { copyTree, type ItemTree, removeItem, setItem } from './item-tree.ts';
import { type LogEnd, readLogRecords } from './log-records.ts';
import {
  decodeWandbRecord,
  peekRecord,
  readStep,
  readSummary,
  type SummaryChange,
  type WandbRecord,
} from './wandb-record.ts';

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
  /** Records of all kinds. */
  readonly records: number;
  /** The byte behind the last sound record, from which reading may go on; 0 where there is none. */
  readonly position: number;
  readonly end: LogEnd;
}

/** What of a log is known without its end. */
export type LogSoFar = Omit<TransactionLog, 'end'>;

export interface ReadLogOptions {
  /** What an earlier reading found, to go on from there. It is not changed. */
  readonly after?: LogSoFar;
  /** Ends with the first record that reaches this byte. */
  readonly until?: number;
  /** Told each record that is neither a row nor a summary nor the end of the run. */
  readonly onRest?: (payload: Buffer) => Promise<void>;
}

type Growing = { -readonly [K in keyof Omit<LogSoFar, 'files'>]: LogSoFar[K] } & { readonly files: string[] };

/**
 * Reads a transaction log through and tells what it holds. Never throws for its content: `end` says how far the file
 * is sound, and nothing behind that place is counted. Throws what the file system throws.
 */
export async function readTransactionLog(
  path: string,
  { after = nothing, until = Infinity, onRest }: ReadLogOptions = {},
): Promise<TransactionLog> {
  const log: Growing = { ...after, summary: copyTree(after.summary), files: [...after.files] };
  const records = readLogRecords(path, log.position);
  for (;;) {
    const next = await records.next();
    if (next.done === true) return { ...log, end: next.value };
    const { payload, offset, end } = next.value;
    const kind = addRecord(log, payload);
    if (kind === undefined) {
      await records.return({ status: 'complete' });
      return { ...log, end: { status: 'corrupt', offset, why: 'a record cannot be decoded' } };
    }
    log.records += 1;
    log.position = end;
    if (kind === 'rest') await onRest?.(payload);
    if (end < until) continue;
    await records.return({ status: 'complete' });
    return { ...log, end: { status: 'complete' } };
  }
}

/** What is known of a log that was not read yet. */
const nothing: LogSoFar = {
  run: null,
  rows: 0,
  lastStep: null,
  exit: null,
  summary: new Map(),
  files: [],
  producer: '',
  records: 0,
  position: 0,
};

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

/** `rest`: neither a row nor a summary nor the end of the run. Undefined for what is no record. */
function addRecord(log: Growing, payload: Buffer): 'counted' | 'rest' | undefined {
  const peeked = peekRecord(payload);
  switch (peeked?.kind) {
    case undefined:
      return undefined;
    case 'history': {
      const step = readStep(peeked.body);
      if (step === undefined) return undefined;
      log.rows += 1;
      log.lastStep = Math.max(log.lastStep ?? step, step);
      return 'counted';
    }
    case 'summary': {
      const change = readSummary(peeked.body);
      if (change !== undefined) applySummary(log.summary, change);
      return change && 'counted';
    }
    case 'described':
      return addDescribed(log, payload);
    case 'rest':
      return 'rest';
  }
}

function addDescribed(log: Growing, payload: Buffer): 'counted' | 'rest' | undefined {
  const record = decodeWandbRecord(payload);
  if (record === undefined) return undefined;
  if (record.run !== undefined) log.run = describe(record.run);
  if (record.files !== undefined) log.files.push(...record.files.files.map(({ path }) => path));
  log.producer = record.header?.versionInfo?.producer ?? log.producer;
  if (record.exit === undefined) return 'rest';
  log.exit = { code: record.exit.exitCode, runtimeSeconds: record.exit.runtime };
  return 'counted';
}

/** What one summary record makes of the summary. */
function applySummary(tree: ItemTree, { update, remove }: SummaryChange): void {
  for (const item of update) setItem(tree, item);
  for (const { path } of remove) removeItem(tree, path);
}

function describe(run: NonNullable<WandbRecord['run']>): LoggedRun {
  const { runGroup, config, ...rest } = run;
  const tree: ItemTree = new Map();
  for (const item of config?.update ?? []) setItem(tree, item);
  return { ...rest, group: runGroup, config: tree };
}
