import { z } from 'zod';

import type { ReadEnvelope, Said } from './judge-answer.ts';
import { parseJson } from './parse-json.ts';

const OpenapiEnvelope = z.object({
  code: z.union([z.number(), z.string()]),
  message: z.string().catch(''),
  data: z.unknown().optional(),
});

const V2Envelope = z.object({
  ResponseMetadata: z.object({
    Error: z
      .object({ Code: z.string(), Message: z.string().catch('') })
      .nullish()
      .transform((error) => error ?? undefined),
  }),
  Result: z.unknown().optional(),
});

const success = '0';

/** `{code, message, data}`, of `/openapi/v1` and of the login. */
export const readOpenapiEnvelope: ReadEnvelope = (body) => readOpenapi(parseJson(body));

/** `{ResponseMetadata: {Error?}, Result}`, of `/api/v2`; what stands in front of it may answer in the older shape. */
export const readV2Envelope: ReadEnvelope = (body) => {
  const json = parseJson(body);
  const envelope = V2Envelope.safeParse(json).data;
  if (envelope === undefined) {
    const older = readOpenapi(json);
    return older?.status === 'error' ? older : undefined;
  }
  const { Error: error } = envelope.ResponseMetadata;
  if (error !== undefined) return { status: 'error', code: error.Code, message: error.Message };
  return { status: 'data', data: envelope.Result };
};

function readOpenapi(json: unknown): Said | undefined {
  const envelope = OpenapiEnvelope.safeParse(json).data;
  if (envelope === undefined) return undefined;
  const code = String(envelope.code);
  if (code === success) return { status: 'data', data: envelope.data };
  return { status: 'error', code, message: envelope.message };
}
