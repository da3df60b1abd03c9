import { fileURLToPath } from 'node:url';

import protobuf from 'protobufjs';
import { z } from 'zod';

/** What is read of one record; a record of another kind has none of these. */
const WandbRecord = z.object({
  history: z.object({ step: z.object({ num: z.number().default(0) }).optional() }).optional(),
  run: z
    .object({
      runId: z.string().default(''),
      entity: z.string().default(''),
      project: z.string().default(''),
      runGroup: z.string().default(''),
      displayName: z.string().default(''),
      tags: z.array(z.string()).default([]),
    })
    .optional(),
  exit: z.object({ exitCode: z.number().default(0), runtime: z.number().default(0) }).optional(),
  header: z.object({ versionInfo: z.object({ producer: z.string().default('') }).optional() }).optional(),
});
export type WandbRecord = z.infer<typeof WandbRecord>;

const type = protobuf
  .loadSync(fileURLToPath(new URL('wandb-records.proto', import.meta.url)))
  .lookupType('Record');

/** Undefined when the bytes are no protobuf message. */
export function decodeWandbRecord(payload: Uint8Array): WandbRecord | undefined {
  try {
    const result = WandbRecord.safeParse(type.toObject(type.decode(payload), { longs: Number }));
    return result.success ? result.data : undefined;
  } catch (error) {
    // The decoder throws RangeError where the bytes end early and Error on an unknown wire type.
    if (error instanceof Error) return undefined;
    throw error;
  }
}
