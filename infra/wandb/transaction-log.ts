import { type LogEnd, readLogRecords } from './log-records.ts';
import { decodeWandbRecord, type WandbRecord } from './wandb-record.ts';

/** What a run wrote about itself; '' where it said nothing (W&B then takes defaults). */
export interface LoggedRun {
  readonly runId: string;
  readonly entity: string;
  readonly project: string;
  readonly group: string;
  readonly displayName: string;
  readonly tags: readonly string[];
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
  /** Version of the W&B client that wrote it, '' when unknown. */
  readonly producer: string;
  readonly end: LogEnd;
}

/**
 * Reads a transaction log through and tells what it holds. Never throws for its content: `end` says how far the file
 * is sound, and nothing behind that place is counted. Throws what the file system throws.
 */
export async function readTransactionLog(path: string): Promise<TransactionLog> {
  let log: Omit<TransactionLog, 'end'> = { run: null, rows: 0, lastStep: null, exit: null, producer: '' };
  const records = readLogRecords(path);
  for (;;) {
    const next = await records.next();
    if (next.done === true) return { ...log, end: next.value };
    const record = decodeWandbRecord(next.value.payload);
    if (record === undefined) {
      const { offset } = next.value;
      await records.return({ status: 'complete' });
      return { ...log, end: { status: 'corrupt', offset, why: 'a record cannot be decoded' } };
    }
    log = withRecord(log, record);
  }
}

function withRecord(log: Omit<TransactionLog, 'end'>, record: WandbRecord): Omit<TransactionLog, 'end'> {
  if (record.history !== undefined) {
    const step = record.history.step?.num ?? 0;
    return { ...log, rows: log.rows + 1, lastStep: Math.max(log.lastStep ?? step, step) };
  }
  if (record.run !== undefined) {
    const { runId, entity, project, runGroup, displayName, tags } = record.run;
    return { ...log, run: { runId, entity, project, group: runGroup, displayName, tags } };
  }
  if (record.exit !== undefined) {
    return { ...log, exit: { code: record.exit.exitCode, runtimeSeconds: record.exit.runtime } };
  }
  const producer = record.header?.versionInfo?.producer;
  return producer === undefined ? log : { ...log, producer };
}
