import { type ItemTree, setItem, treeText } from './item-tree.ts';
import { type LogEnd, readLogRecords } from './log-records.ts';
import { decodeWandbRecord, peekRecord, readRow } from './wandb-record.ts';

/** One history row as a line for the server; `end` is the byte behind it, from which reading may go on. */
export interface LoggedRow {
  readonly line: string;
  readonly end: number;
}

/** How reading rows ended; `exited` when the run's own end was met on the way. */
export interface RowsEnd {
  readonly end: LogEnd;
  readonly exited: boolean;
}

/**
 * The history rows of a log from a byte on (0, or the `end` of a row), in the order in which they were logged. Returns how
 * it ended; the log of a live run may be read again later from where it stopped.
 */
export async function* readRows(path: string, from: number): AsyncGenerator<LoggedRow, RowsEnd> {
  const records = readLogRecords(path, from);
  // The end of a run is its last record but for a few: only what stands behind the last row is worth decoding.
  let behind: Buffer[] = [];
  for (;;) {
    const next = await records.next();
    if (next.done === true) return { end: next.value, exited: behind.some(isExit) };
    const { payload, end, offset } = next.value;
    const peeked = peekRecord(payload);
    if (peeked !== undefined && peeked.kind !== 'history') {
      if (peeked.kind === 'described') behind.push(payload);
      if (behind.length > mostBehind) behind = behind.slice(-mostBehind);
      continue;
    }
    behind = [];
    const items = peeked === undefined ? undefined : readRow(peeked.body);
    if (items === undefined) {
      await records.return({ status: 'complete' });
      return { end: { status: 'corrupt', offset, why: 'a record cannot be decoded' }, exited: false };
    }
    const tree: ItemTree = new Map();
    for (const item of items) setItem(tree, item);
    yield { line: treeText(tree), end };
  }
}

function isExit(payload: Uint8Array): boolean {
  return decodeWandbRecord(payload)?.exit !== undefined;
}

/** Records that may stand behind the last row and before the end of what was read, and are looked through for an exit. */
const mostBehind = 64;
