import { fileURLToPath } from 'node:url';

import protobuf from 'protobufjs';
import { z } from 'zod';

/** A value of a row, of a summary or of a config, as JSON text: it may be a bare NaN. */
export interface Item {
  /** The whole way to it: a nested value has several names. */
  readonly path: readonly string[];
  readonly json: string;
}

/** What one summary record changes: values that are set, then names that are taken away. */
export interface SummaryChange {
  readonly update: readonly Item[];
  readonly remove: readonly Item[];
}

const RawItem = z
  .object({
    key: z.string().default(''),
    nestedKey: z.array(z.string()).default([]),
    valueJson: z.string().default('null'),
  })
  .transform(({ key, nestedKey, valueJson }): Item => ({
    path: nestedKey.length > 0 ? nestedKey : [key],
    json: valueJson,
  }));

/** What is read of the few records that are neither rows nor summaries; a record of another kind has none of these. */
const WandbRecord = z.object({
  files: z.object({ files: z.array(z.object({ path: z.string().default('') })).default([]) }).optional(),
  run: z
    .object({
      runId: z.string().default(''),
      entity: z.string().default(''),
      project: z.string().default(''),
      config: z.object({ update: z.array(RawItem).default([]) }).optional(),
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
const numbers = {
  history: numberOf('Record', 'history'),
  summary: numberOf('Record', 'summary'),
  step: numberOf('HistoryRecord', 'step'),
  stepNumber: numberOf('HistoryStep', 'num'),
  rowItem: numberOf('HistoryRecord', 'item'),
  update: numberOf('SummaryRecord', 'update'),
  remove: numberOf('SummaryRecord', 'remove'),
  key: numberOf('Item', 'key'),
  nestedKey: numberOf('Item', 'nested_key'),
  valueJson: numberOf('Item', 'value_json'),
} as const;

/** Kinds of records that `decodeWandbRecord` reads. */
const described = new Set(['run', 'exit', 'files', 'header'].map((field) => numberOf('Record', field)));

function numberOf(message: string, field: string): number {
  const found = root
    .lookupType(message)
    .fieldsArray.find(
      ({ name }) =>
        name === field || name === field.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
    );
  if (found === undefined) throw new Error(`wandb-records.proto has no field "${field}" in ${message}`);
  return found.id;
}

/**
 * A record that was told apart but not read. `body` is what a row or a summary holds, and the whole record otherwise;
 * `rest` is of no interest to anybody but the real client.
 */
export interface PeekedRecord {
  readonly kind: 'history' | 'summary' | 'described' | 'rest';
  readonly body: Uint8Array;
}

/** Undefined when the bytes are no protobuf message. Reads no value, so that a log of any length is gone through quickly. */
export function peekRecord(payload: Uint8Array): PeekedRecord | undefined {
  return orUndefined(() => {
    const reader = protobuf.Reader.create(payload);
    let found: PeekedRecord = { kind: 'rest', body: payload };
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      const number = tag >>> 3;
      if (number === numbers.history) found = { kind: 'history', body: reader.bytes() };
      else if (number === numbers.summary) found = { kind: 'summary', body: reader.bytes() };
      else {
        if (described.has(number)) found = { kind: 'described', body: payload };
        reader.skipType(tag & 7);
      }
    }
    return found;
  });
}

/** Of a record of the kind `described`. Undefined when the bytes are no protobuf message. */
export function decodeWandbRecord(payload: Uint8Array): WandbRecord | undefined {
  return orUndefined(() => {
    const result = WandbRecord.safeParse(type.toObject(type.decode(payload), { longs: Number }));
    return result.success ? result.data : undefined;
  });
}

/** The `_step` of a row's record; undefined when the bytes are no protobuf message. */
export function readStep(body: Uint8Array): number | undefined {
  return orUndefined(() => {
    const reader = protobuf.Reader.create(body);
    let step = 0;
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag >>> 3 !== numbers.step) {
        reader.skipType(tag & 7);
        continue;
      }
      const inner = protobuf.Reader.create(reader.bytes());
      if (inner.pos < inner.len && inner.uint32() >>> 3 === numbers.stepNumber) step = Number(inner.int64());
    }
    return step;
  });
}

/** The values of a row's record; undefined when the bytes are no protobuf message. */
export function readRow(body: Uint8Array): readonly Item[] | undefined {
  return orUndefined(() => itemsOf(body, numbers.rowItem));
}

/** What a summary's record changes; undefined when the bytes are no protobuf message. */
export function readSummary(body: Uint8Array): SummaryChange | undefined {
  return orUndefined(() => ({
    update: itemsOf(body, numbers.update),
    remove: itemsOf(body, numbers.remove),
  }));
}

/** By hand: a large log has millions of these, and checking the shape of each costs more than all other reading. */
function itemsOf(body: Uint8Array, field: number): Item[] {
  const reader = protobuf.Reader.create(body);
  const items: Item[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === field) items.push(itemOf(reader));
    else reader.skipType(tag & 7);
  }
  return items;
}

/** The item whose length comes next. */
function itemOf(reader: protobuf.Reader): Item {
  const end = reader.uint32() + reader.pos;
  if (end > reader.len) throw new RangeError('an item reaches beyond its record');
  let key = '';
  const nested: string[] = [];
  let json = 'null';
  while (reader.pos < end) {
    const tag = reader.uint32();
    const number = tag >>> 3;
    if (number === numbers.nestedKey) nested.push(reader.string());
    else if (number === numbers.valueJson) json = reader.string();
    else if (number === numbers.key) key = reader.string();
    else reader.skipType(tag & 7);
  }
  return { path: nested.length > 0 ? nested : [key], json };
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
