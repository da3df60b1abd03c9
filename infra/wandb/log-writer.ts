import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

import { blockBytes, chunkHeaderBytes, chunkType, logHeader } from './log-records.ts';

/** Records are written to the disk in portions of this size. */
const portionBytes = 1024 * 1024;

/** Writes records as the client of W&B does: pieces with a checksum, none of which reaches beyond its block. */
export class LogWriter {
  readonly #file: FileHandle;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Bytes of the log, those that wait included. */
  #length: number;

  private constructor(file: FileHandle, length: number) {
    this.#file = file;
    this.#length = length;
  }

  /** A new log. Throws where there is one. */
  static async create(path: string): Promise<LogWriter> {
    const writer = new LogWriter(await open(path, 'wx'), 0);
    writer.#add(logHeader);
    return writer;
  }

  /** Goes on behind the first `length` bytes of a log, which end with a record; what stands behind them is given up. */
  static async resume(path: string, length: number): Promise<LogWriter> {
    const file = await open(path, 'r+');
    await file.truncate(length);
    return new LogWriter(file, length);
  }

  get length(): number {
    return this.#length;
  }

  async write(payload: Buffer): Promise<void> {
    this.#add(frame(payload, this.#length));
    if (this.#waitingBytes >= portionBytes) await this.flush();
  }

  async flush(): Promise<void> {
    const bytes = Buffer.concat(this.#waiting);
    const from = this.#length - bytes.length;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (let written = 0; written < bytes.length;) {
      const { bytesWritten } = await this.#file.write(bytes, written, bytes.length - written, from + written);
      written += bytesWritten;
    }
  }

  /** Returns when all of it lies on the disk itself. */
  async sync(): Promise<void> {
    await this.flush();
    await this.#file.datasync();
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#file.close();
    }
  }

  #add(bytes: Buffer): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#length += bytes.length;
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
