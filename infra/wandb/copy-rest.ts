import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

import { type ItemTree, treeItems } from './item-tree.ts';
import { blockBytes, chunkHeaderBytes, chunkType, logHeader, readLogRecords } from './log-records.ts';
import { applySummary } from './transaction-log.ts';
import { decodeWandbRecord, encodeExit, encodeSummary, peekStep } from './wandb-record.ts';

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
  await copyLog(source, target, { withHistory: false, exit });
}

/** Copies a log whole as far as it is sound, closed with the given end where it has none of its own. */
export async function copyClosed(source: string, target: string, exit: GivenExit): Promise<void> {
  await copyLog(source, target, { withHistory: true, exit });
}

interface CopyOptions {
  readonly withHistory: boolean;
  readonly exit: GivenExit | null;
}

async function copyLog(source: string, target: string, { withHistory, exit }: CopyOptions): Promise<void> {
  const file = await open(target, 'wx');
  try {
    await file.write(logHeader);
    let position = logHeader.length;
    const write = async (payload: Buffer): Promise<void> => {
      const framed = frame(payload, position);
      await file.write(framed);
      position += framed.length;
    };
    const summary: ItemTree = new Map();
    let number = 0;
    let last: Buffer | undefined;
    for await (const { payload } of readLogRecords(source)) {
      number += 1;
      const step = peekStep(payload);
      if (step === undefined) break;
      if (step !== null) {
        if (withHistory) await write(payload);
        continue;
      }
      const record = decodeWandbRecord(payload);
      if (record?.exit !== undefined) last = payload;
      else if (record?.summary !== undefined && !withHistory) applySummary(summary, record.summary);
      else await write(payload);
    }
    if (summary.size > 0) await write(encodeSummary(number, treeItems(summary)));
    if (last !== undefined) await write(last);
    else if (exit !== null) await write(encodeExit(number + 1, exit.code, Math.round(exit.runtimeSeconds)));
  } finally {
    await file.close();
  }
}

/** A record as the pieces that it takes from `position` on, with the padding at the ends of blocks. */
function frame(payload: Buffer, position: number): Buffer {
  const parts: Buffer[] = [];
  let at = position;
  let taken = 0;
  let begun = false;
  while (!begun || taken < payload.length) {
    const left = blockBytes - (at % blockBytes);
    if (left < chunkHeaderBytes) {
      parts.push(Buffer.alloc(left));
      at += left;
      continue;
    }
    const piece = payload.subarray(taken, taken + left - chunkHeaderBytes);
    taken += piece.length;
    parts.push(chunk(piece, typeOf(begun, taken === payload.length)));
    begun = true;
    at += chunkHeaderBytes + piece.length;
  }
  return Buffer.concat(parts);
}

function typeOf(begun: boolean, ends: boolean): number {
  if (ends) return begun ? chunkType.last : chunkType.full;
  return begun ? chunkType.middle : chunkType.first;
}

function chunk(piece: Buffer, type: number): Buffer {
  const header = Buffer.alloc(chunkHeaderBytes);
  header.writeUInt16LE(piece.length, 4);
  header.writeUInt8(type, 6);
  const bytes = Buffer.concat([header, piece]);
  bytes.writeUInt32LE(crc32(bytes.subarray(6)), 0);
  return bytes;
}
