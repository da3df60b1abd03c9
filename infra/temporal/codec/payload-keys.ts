import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';

import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';

import { unlessMissing } from '../../unless-missing.ts';

const keyBytes = 32;

/** The file of `HEPHAESTUS_PAYLOAD_KEYS_FILE`: every key that something may still be sealed with, and the one for new payloads. */
const PayloadKeysFile = z
  .strictObject({
    active: z.string(),
    keys: z.record(
      z.string().regex(/^[\w.-]{1,64}$/),
      z
        .base64()
        .refine(
          (key) => Buffer.from(key, 'base64').length === keyBytes,
          `expected ${keyBytes} bytes in base64`,
        ),
    ),
  })
  .refine(({ active, keys }) => Object.hasOwn(keys, active), 'expected "active" to name one of "keys"');

export interface PayloadKeys {
  /** Id of the key that new payloads are sealed with. */
  readonly active: string;
  readonly keys: ReadonlyMap<string, Buffer>;
}

/** What is wrong with the file of keys, without anything of its content. */
export class PayloadKeysError extends Error {
  constructor(path: string, found: string, options?: ErrorOptions) {
    super(
      `${path}: ${found}; expected {"active": <id>, "keys": {<id>: <32 bytes in base64>}} that others may not read. ` +
        'Make one with `hephaestus payload-keys new`, or bring the file from another zone.',
      options,
    );
    this.name = 'PayloadKeysError';
  }
}

/** Reads the file of keys. Throws `PayloadKeysError`. */
export function readPayloadKeys(path: string): PayloadKeys {
  const { active, keys } = parse(path, readPrivate(path));
  return { active, keys: new Map(Object.entries(keys).map(([id, key]) => [id, Buffer.from(key, 'base64')])) };
}

/**
 * Adds a new key to the file, which is made where there is none, and has it used from now on. Returns its id. Throws
 * `PayloadKeysError`, and then nothing was written.
 */
export async function addPayloadKey(path: string, now: Date): Promise<string> {
  const there = await unlessMissing(stat(path));
  const { keys } = there === undefined ? { keys: {} } : parse(path, readPrivate(path));
  const active = `${now.toISOString().slice(0, 10)}-${randomBytes(3).toString('hex')}`;
  const file = { active, keys: { ...keys, [active]: randomBytes(keyBytes).toString('base64') } };
  await writeFileAtomic(path, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 });
  return active;
}

function readPrivate(path: string): string {
  try {
    if ((statSync(path).mode & 0o004) !== 0)
      throw new PayloadKeysError(path, 'everybody on this machine may read it');
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof PayloadKeysError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new PayloadKeysError(path, `it cannot be read (${code})`, { cause: error });
  }
}

function parse(path: string, text: string): z.infer<typeof PayloadKeysFile> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    // The parser's own message quotes the text, which is made of keys.
    if (error instanceof SyntaxError) throw new PayloadKeysError(path, 'it is no JSON');
    throw error;
  }
  const parsed = PayloadKeysFile.safeParse(document);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path: at, message }) => `${at.join('.') || 'the whole'}: ${message}`,
  );
  throw new PayloadKeysError(path, problems.join('; '));
}
