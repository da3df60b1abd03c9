import type { LogMemory } from './log-memory.ts';
import { readRows, type RowsEnd } from './read-rows.ts';
import { readLoggedRun } from './transaction-log.ts';
import type { RunPath } from './wandb-client.ts';
import type { WandbWriter } from './wandb-writer.ts';

/** How far the logs of a run were sent: `rows` is the number of rows before byte `position` of fragment `fragment`. */
export interface MirrorCursor {
  readonly fragment: number;
  readonly position: number;
  readonly rows: number;
}

export const mirrorStart: MirrorCursor = { fragment: 0, position: 0, rows: 0 };

export interface MirrorRowsOptions {
  readonly writer: WandbWriter;
  readonly path: RunPath;
  /** The fragments of the run, oldest first; more may be there the next time. */
  readonly logs: readonly string[];
  /** Where an earlier pass ended. */
  readonly cursor: MirrorCursor;
  /** A pass ends when so much was sent, so that a large run leaves room for the others. */
  readonly mostBytes: number;
  /** Where what is learnt of the logs on the way is kept for the end of the run; nowhere when it is not given. */
  readonly memory?: LogMemory;
  /** Called after each request that was answered. */
  readonly onCursor?: (cursor: MirrorCursor) => void;
  readonly signal: AbortSignal;
}

export interface MirrorReport {
  readonly cursor: MirrorCursor;
  /** Rows and bytes of rows that were sent in this pass. */
  readonly sent: number;
  readonly bytes: number;
  /** Everything that was in the logs is on the server. */
  readonly caughtUp: boolean;
  /** The newest log has an end: no more rows come. */
  readonly exited: boolean;
}

/** What a reader is told that is not read to its end. */
const left: RowsEnd = { end: { status: 'complete' }, exited: false };
/** What W&B itself sends in one request is up to 10 MiB. */
const requestBytes = 4 * 1024 * 1024;
/** A row that is larger than this is refused by servers and left out by the real client, too. */
const mostRowBytes = 10 * 1024 * 1024;

/**
 * Sends the rows that the server does not hold yet, each to the line of its index: whatever is sent twice, by whomever,
 * is there once. The server's own count says where to begin; the cursor only saves reading. Makes the run where it is
 * missing. Sends nothing while no fragment tells whose it is.
 */
export async function mirrorRows(options: MirrorRowsOptions): Promise<MirrorReport> {
  const report = await sendRows(options);
  const { fragment, position } = report.cursor;
  const log = options.logs[fragment];
  if (log !== undefined && report.sent > 0) await options.memory?.learn(log, position);
  return report;
}

async function sendRows(options: MirrorRowsOptions): Promise<MirrorReport> {
  const { writer, path, logs, signal, mostBytes } = options;
  let cursor = logs[options.cursor.fragment] === undefined ? mirrorStart : options.cursor;
  let batch: string[] = [];
  let batchBytes = 0;
  let offset = 0;
  let held: number | undefined;
  let sent = 0;
  let bytes = 0;
  let exited = false;
  const tell = (next: MirrorCursor): void => {
    cursor = next;
    options.onCursor?.(next);
  };
  const flush = async (next: MirrorCursor): Promise<void> => {
    if (batch.length > 0) await writer.send(path, offset, batch, signal);
    sent += batch.length;
    bytes += batchBytes;
    batch = [];
    batchBytes = 0;
    tell(next);
  };
  let fragment = cursor.fragment;
  let { position, rows } = cursor;
  for (; fragment < logs.length; fragment += 1) {
    const log = logs[fragment] ?? '';
    const reader = readRows(log, position);
    for (;;) {
      const next = await reader.next();
      if (next.done === true) {
        exited = next.value.exited;
        break;
      }
      signal.throwIfAborted();
      if (held === undefined) {
        const known = await writer.rows(path, signal);
        if (known === null && cursor.rows > 0) {
          // The server lost the run: all of it is sent again.
          await reader.return(left);
          return sendRows({ ...options, cursor: mirrorStart });
        }
        held = known ?? (await createRun(options, log));
      }
      const { line, end } = next.value;
      const index = rows;
      rows += 1;
      position = end;
      if (index < held) continue;
      if (batch.length === 0) offset = index;
      batch.push(line.length > mostRowBytes ? '{}' : line);
      batchBytes += Buffer.byteLength(line);
      if (batchBytes < requestBytes) continue;
      await flush({ fragment, position, rows });
      if (bytes < mostBytes) continue;
      await reader.return(left);
      return { cursor, sent, bytes, caughtUp: false, exited };
    }
    await flush({ fragment, position, rows });
    if (fragment < logs.length - 1) position = 0;
  }
  return { cursor, sent, bytes, caughtUp: true, exited };
}

async function createRun({ writer, path, signal }: MirrorRowsOptions, log: string): Promise<number> {
  const run = await readLoggedRun(log);
  // A row stands behind the record of its run.
  return run === null ? 0 : writer.create(path, run, signal);
}
