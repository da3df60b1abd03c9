import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

import { blockBytes, chunkHeaderBytes, chunkType, logHeader, readLogRecords } from './log-records.ts';
import { decodeWandbRecord } from './wandb-record.ts';

/**
 * Copies a transaction log without its first `skipRows` history records: what a server still needs that holds these
 * rows already. Everything else is kept, byte for byte, in the same framing. A damaged or unfinished end is left out.
 */
export async function copyLogWithoutRows(source: string, target: string, skipRows: number): Promise<void> {
  const file = await open(target, 'wx');
  try {
    await file.write(logHeader);
    let position = logHeader.length;
    let skipped = 0;
    for await (const { payload } of readLogRecords(source)) {
      if (skipped < skipRows && decodeWandbRecord(payload)?.history !== undefined) {
        skipped += 1;
        continue;
      }
      const framed = frame(payload, position);
      await file.write(framed);
      position += framed.length;
    }
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
