import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';

import { ValueError, type Payload, type PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';

import type { PayloadKeys } from './payload-keys.ts';

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;
const compress = promisify(deflate);
const expand = promisify(inflate);

/** What Temporal's own examples call it, so that its tools know that there is something to decode. */
const encoding = 'binary/encrypted';
const cipherName = 'aes-256-gcm';
const ivBytes = 12;
const tagBytes = 16;
/** Shorter payloads hardly shrink. */
const compressFrom = 256;
/** Far above what Temporal takes in one payload (2 MB): what expands to more was not made here. */
const mostBytes = 64 * 1024 * 1024;

const fields = { encoding: 'encoding', key: 'encryption-key-id', compression: 'compression' } as const;

/**
 * Compresses payloads and seals them with AES-256-GCM, each with the id of its key, so that keys can be changed while
 * experiments run. Payloads that were not sealed pass through: they were written before there were keys.
 *
 * `readKeys` is asked at once, and again when a payload names a key that is not known yet: it may just have been added.
 * Decoding throws Temporal's `ValueError` when the key is not there or the payload was changed.
 */
export function createEncryptingCodec(readKeys: () => PayloadKeys): PayloadCodec {
  let known = readKeys();

  const keyOf = (id: string): Buffer => {
    if (!known.keys.has(id)) known = readKeys();
    const key = known.keys.get(id);
    if (key !== undefined) return key;
    throw new ValueError(
      `A payload is sealed with the key "${id}", which is not among ${[...known.keys.keys()].join(', ')}: ` +
        'bring the newest file of HEPHAESTUS_PAYLOAD_KEYS_FILE to this process',
    );
  };

  const seal = async (payload: Payload): Promise<Payload> => {
    const id = known.active;
    const plain = PayloadMessage.encode(payload).finish();
    const compression = plain.length >= compressFrom ? 'zlib' : 'none';
    const content = compression === 'zlib' ? await compress(plain) : plain;
    const iv = randomBytes(ivBytes);
    const cipher = createCipheriv(cipherName, keyOf(id), iv).setAAD(describe(id, compression));
    const sealed = [iv, cipher.update(content), cipher.final(), cipher.getAuthTag()];
    const metadata = { [fields.encoding]: encoding, [fields.key]: id, [fields.compression]: compression };
    return {
      metadata: Object.fromEntries(
        Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value)]),
      ),
      data: Buffer.concat(sealed),
    };
  };

  const open = async (payload: Payload): Promise<Payload> => {
    if (textOf(payload, fields.encoding) !== encoding) return payload;
    const id = textOf(payload, fields.key);
    const compression = textOf(payload, fields.compression);
    const data = Buffer.from(payload.data ?? []);
    const key = keyOf(id);
    let content: Buffer;
    try {
      const decipher = createDecipheriv(cipherName, key, data.subarray(0, ivBytes), {
        authTagLength: tagBytes,
      })
        .setAAD(describe(id, compression))
        .setAuthTag(data.subarray(-tagBytes));
      content = Buffer.concat([decipher.update(data.subarray(ivBytes, -tagBytes)), decipher.final()]);
    } catch (error) {
      const found = `A payload of ${data.length} bytes, sealed with the key "${id}", cannot be opened`;
      throw new ValueError(`${found}: it was changed, or another key has this id`, error);
    }
    const plain = compression === 'zlib' ? await expand(content, { maxOutputLength: mostBytes }) : content;
    return PayloadMessage.decode(plain);
  };

  return {
    encode: (payloads) => Promise.all(payloads.map(seal)),
    decode: (payloads) => Promise.all(payloads.map(open)),
  };
}

/** What is sealed along: whoever changes the metadata is noticed. */
function describe(id: string, compression: string): Buffer {
  return Buffer.from(`${id}\n${compression}`);
}

function textOf({ metadata }: Payload, name: string): string {
  const value = metadata?.[name];
  return value === undefined || value === null ? '' : Buffer.from(value).toString('utf8');
}
