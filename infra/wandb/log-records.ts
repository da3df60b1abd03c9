import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** The first bytes of every `run-<id>.wandb`: `:W&B`, a magic number, and version 0. */
export const logHeader = Buffer.from([0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe, 0x00]);
export const blockBytes = 32_768;
export const chunkHeaderBytes = 7;

/** A whole record; `offset` is the byte at which it begins, `end` the one behind it, where reading may be taken up again. */
export interface LogRecord {
  readonly offset: number;
  readonly end: number;
  readonly payload: Buffer;
}

/**
 * How reading ended. `truncated`: the file stops in the middle of the record at `offset`, as that of a live or killed
 * run does. `corrupt`: the bytes at `offset` were never written by W&B. What came before is sound in both cases.
 */
export type LogEnd =
  | { readonly status: 'complete' }
  | { readonly status: 'truncated'; readonly offset: number }
  | { readonly status: 'corrupt'; readonly offset: number; readonly why: string };

interface Chunk {
  readonly status: 'chunk';
  readonly type: number;
  readonly payload: Buffer;
}

/** A record that does not fit into what is left of a block is written in several pieces. */
export const chunkType = { full: 1, first: 2, middle: 3, last: 4 } as const;

/**
 * Reads a transaction log record by record and returns how it ended. Holds one block of the file and one record in
 * memory, however long the file is. The file may grow meanwhile; what is appended after its end was seen is not read.
 * `from` is 0 or the `end` of a record that was read before.
 */
export async function* readLogRecords(path: string, from = 0): AsyncGenerator<LogRecord, LogEnd> {
  const file = await open(path, 'r');
  try {
    const block = Buffer.alloc(blockBytes);
    let start = from - (from % blockBytes);
    let pending: { offset: number; parts: Buffer[] } | undefined;
    for (;;) {
      const length = await readFully(file, block, start);
      let position = Math.max(from - start, 0);
      if (start === 0) {
        const bad = checkHeader(block.subarray(0, length));
        if (bad !== undefined) return bad;
        position = Math.max(position, logHeader.length);
      }
      // A file that is shorter than what was read of it before was put there anew.
      if (position > length) return { status: 'truncated', offset: start + length };
      while (position + chunkHeaderBytes <= blockBytes) {
        const offset = start + position;
        if (position === length && pending === undefined) return { status: 'complete' };
        const chunk = readChunk(block.subarray(position, length), blockBytes - position, offset);
        if (chunk.status === 'truncated') return { status: 'truncated', offset: pending?.offset ?? offset };
        if (chunk.status === 'corrupt') return chunk;
        const begins = chunk.type === chunkType.full || chunk.type === chunkType.first;
        if (begins !== (pending === undefined)) {
          return { status: 'corrupt', offset, why: 'the pieces of a record are out of order' };
        }
        const end = offset + chunkHeaderBytes + chunk.payload.length;
        // Copied, because the block is used again before a record of several blocks is whole, or whoever took one is done.
        const piece = Buffer.from(chunk.payload);
        if (chunk.type === chunkType.full) yield { offset, end, payload: piece };
        else {
          pending ??= { offset, parts: [] };
          pending.parts.push(piece);
          if (chunk.type === chunkType.last) {
            yield { offset: pending.offset, end, payload: Buffer.concat(pending.parts) };
            pending = undefined;
          }
        }
        position += chunkHeaderBytes + chunk.payload.length;
      }
      if (length < blockBytes) return endOfShortBlock(start + length, pending?.offset);
      start += blockBytes;
    }
  } finally {
    await file.close();
  }
}

function endOfShortBlock(end: number, pending: number | undefined): LogEnd {
  return pending === undefined
    ? { status: 'complete' }
    : { status: 'truncated', offset: Math.min(pending, end) };
}

async function readFully(
  file: {
    read: (
      buffer: Buffer,
      offset: number,
      length: number,
      position: number,
    ) => Promise<{ bytesRead: number }>;
  },
  block: Buffer,
  start: number,
): Promise<number> {
  let length = 0;
  while (length < block.length) {
    const { bytesRead } = await file.read(block, length, block.length - length, start + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}

function checkHeader(head: Buffer): LogEnd | undefined {
  const found = head.subarray(0, logHeader.length);
  if (!found.equals(logHeader.subarray(0, found.length))) {
    return { status: 'corrupt', offset: 0, why: 'it does not begin as a W&B transaction log does' };
  }
  return found.length < logHeader.length ? { status: 'truncated', offset: 0 } : undefined;
}

/** `bytes` reach from the chunk to what is there of its block, `room` to the block's end. */
function readChunk(
  bytes: Buffer,
  room: number,
  offset: number,
): Chunk | Exclude<LogEnd, { status: 'complete' }> {
  if (bytes.length < chunkHeaderBytes) return { status: 'truncated', offset };
  const length = bytes.readUInt16LE(4);
  const type = bytes.readUInt8(6);
  if (type < chunkType.full || type > chunkType.last) {
    return { status: 'corrupt', offset, why: `${type} is no type of a piece` };
  }
  const end = chunkHeaderBytes + length;
  if (end > room) return { status: 'corrupt', offset, why: 'a piece reaches beyond its block' };
  if (end > bytes.length) return { status: 'truncated', offset };
  if (crc32(bytes.subarray(6, end)) !== bytes.readUInt32LE(0)) {
    return { status: 'corrupt', offset, why: 'the checksum does not fit' };
  }
  return { status: 'chunk', type, payload: bytes.subarray(chunkHeaderBytes, end) };
}
