import { fileURLToPath } from 'node:url';

import protobuf from 'protobufjs';
import { z } from 'zod';

/** A value of a row, of a summary or of a config, as JSON text: it may be a bare NaN. */
const Item = z
  .object({
    key: z.string().default(''),
    nestedKey: z.array(z.string()).default([]),
    valueJson: z.string().default('null'),
  })
  .transform(({ key, nestedKey, valueJson }) => ({
    path: nestedKey.length > 0 ? nestedKey : [key],
    json: valueJson,
  }));
export type Item = z.infer<typeof Item>;

const items = z.array(Item).default([]);

/** What is read of one record; a record of another kind has none of these. */
const WandbRecord = z.object({
  history: z.object({ item: items, step: z.object({ num: z.number().default(0) }).optional() }).optional(),
  summary: z.object({ update: items, remove: items }).optional(),
  files: z.object({ files: z.array(z.object({ path: z.string().default('') })).default([]) }).optional(),
  run: z
    .object({
      runId: z.string().default(''),
      entity: z.string().default(''),
      project: z.string().default(''),
      config: z.object({ update: items }).optional(),
      runGroup: z.string().default(''),
      jobType: z.string().default(''),
      displayName: z.string().default(''),
      notes: z.string().default(''),
      tags: z.array(z.string()).default([]),
      host: z.string().default(''),
    })
    .optional(),
  exit: z.object({ exitCode: z.number().default(0), runtime: z.number().default(0) }).optional(),
  header: z.object({ versionInfo: z.object({ producer: z.string().default('') }).optional() }).optional(),
});
export type WandbRecord = z.infer<typeof WandbRecord>;

const root = protobuf.loadSync(fileURLToPath(new URL('wandb-records.proto', import.meta.url)));
const type = root.lookupType('Record');
const historyType = root.lookupType('HistoryRecord');
const historyField = type.fields['history']?.id;
const stepField = historyType.fields['step']?.id;

/** Undefined when the bytes are no protobuf message. */
export function decodeWandbRecord(payload: Uint8Array): WandbRecord | undefined {
  return orUndefined(() => {
    const result = WandbRecord.safeParse(type.toObject(type.decode(payload), { longs: Number }));
    return result.success ? result.data : undefined;
  });
}

/** A row's `_step`; null for a record of another kind. Reads no value, so that a log of any length is counted quickly. */
export function peekStep(payload: Uint8Array): number | null | undefined {
  return orUndefined(() => {
    const reader = protobuf.Reader.create(payload);
    let step: number | null = null;
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag >>> 3 === historyField) step = stepOf(reader.bytes());
      else reader.skipType(tag & 7);
    }
    return step;
  });
}

/** Whether a record is the end of its run. */
export function isExit(payload: Uint8Array): boolean {
  return decodeWandbRecord(payload)?.exit !== undefined;
}

function stepOf(history: Uint8Array): number {
  const reader = protobuf.Reader.create(history);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 !== stepField) {
      reader.skipType(tag & 7);
      continue;
    }
    const inner = protobuf.Reader.create(reader.bytes());
    if (inner.pos < inner.len && inner.uint32() >>> 3 === 1) return Number(inner.int64());
  }
  return 0;
}

/** A record with a summary and no more; `num` is its number in the log. */
export function encodeSummary(num: number, update: readonly Item[]): Buffer {
  return encode({
    num,
    summary: { update: update.map(({ path, json }) => ({ nestedKey: path, valueJson: json })) },
  });
}

/** The record with which a run ends; `runtime` in seconds. */
export function encodeExit(num: number, exitCode: number, runtime: number): Buffer {
  return encode({ num, exit: { exitCode, runtime } });
}

function encode(record: object): Buffer {
  return Buffer.from(type.encode(type.fromObject(record)).finish());
}

function orUndefined<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    // The decoder throws RangeError where the bytes end early and Error on an unknown wire type.
    if (error instanceof Error) return undefined;
    throw error;
  }
}
