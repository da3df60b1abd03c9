import { copyFile, truncate } from 'node:fs/promises';

import { treeItems } from './item-tree.ts';
import { LogWriter } from './log-writer.ts';
import { readTransactionLog, type TransactionLog } from './transaction-log.ts';
import { encodeExit, encodeSummary } from './wandb-record.ts';

/** How a run is closed whose log has no end of its own. */
export interface GivenExit {
  readonly code: number;
  readonly runtimeSeconds: number;
}

/**
 * Copies a transaction log without its history: what the real client still has to send where a server holds the rows
 * already. The many summaries become one with the same outcome, and a log without an end gets the given one; everything
 * else is kept, byte for byte. A damaged or unfinished end is left out.
 */
export async function copyRest(source: string, target: string, exit: GivenExit | null): Promise<void> {
  const writer = await LogWriter.create(target);
  try {
    const log = await readTransactionLog(source, { onRest: async (payload) => writer.write(payload) });
    await writeEnd(writer, log, exit);
  } finally {
    await writer.close();
  }
}

/** The same from the records that were put aside while the log was read: the first `length` bytes of `rest`. */
export async function finishRest(
  rest: { readonly path: string; readonly length: number },
  target: string,
  { log, exit }: { readonly log: TransactionLog; readonly exit: GivenExit | null },
): Promise<void> {
  await copyFile(rest.path, target);
  const writer = await LogWriter.resume(target, rest.length);
  try {
    await writeEnd(writer, log, exit);
  } finally {
    await writer.close();
  }
}

/** Copies a log whole as far as it is sound, closed with the given end where it has none of its own. */
export async function copyClosed(source: string, target: string, exit: GivenExit): Promise<void> {
  const log = await readTransactionLog(source);
  await copyFile(source, target);
  if (log.position === 0) return truncate(target, 0);
  const writer = await LogWriter.resume(target, log.position);
  try {
    if (log.exit === null) await writeExit(writer, log.records + 1, exit);
  } finally {
    await writer.close();
  }
}

async function writeEnd(writer: LogWriter, log: TransactionLog, exit: GivenExit | null): Promise<void> {
  const { summary, records } = log;
  if (summary.size > 0) await writer.write(encodeSummary(records, treeItems(summary)));
  const end = log.exit ?? exit;
  if (end !== null) await writeExit(writer, records + 1, end);
}

async function writeExit(writer: LogWriter, number: number, exit: GivenExit): Promise<void> {
  await writer.write(encodeExit(number, exit.code, Math.round(exit.runtimeSeconds)));
}
