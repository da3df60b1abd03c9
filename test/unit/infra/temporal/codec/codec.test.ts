import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ApplicationFailure, defaultPayloadConverter, ValueError, type Payload } from '@temporalio/common';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createEncryptingCodec } from '../../../../../infra/temporal/codec/create-encrypting-codec.ts';
import { createSecretGuard } from '../../../../../infra/temporal/codec/create-secret-guard.ts';
import { ownSecretFinder } from '../../../../../infra/secrets/own-secret-finder.ts';
import {
  addPayloadKey,
  readPayloadKeys,
  type PayloadKeys,
} from '../../../../../infra/temporal/codec/payload-keys.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'payload-keys-'));
});
afterAll(() => rm(folder, { recursive: true }));

const old = randomBytes(32);
const oneKey: PayloadKeys = { active: 'old', keys: new Map([['old', old]]) };
const twoKeys: PayloadKeys = {
  active: 'new',
  keys: new Map([
    ['old', old],
    ['new', randomBytes(32)],
  ]),
};
const codec = createEncryptingCodec(() => oneKey);

describe('encryption', () => {
  it('gives back what it took, whatever it was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const payload = payloadOf(value);
        const [sealed] = await codec.encode([payload]);
        const [opened] = await codec.decode([sealed ?? {}]);
        expect(defaultPayloadConverter.fromPayload(opened ?? {})).toEqual(
          defaultPayloadConverter.fromPayload(payload),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('shows nothing of the content, never the same bytes twice, and makes long texts shorter', async () => {
    const text = 'the loss went down '.repeat(500);
    const [first, second] = await codec.encode([payloadOf(text), payloadOf(text)]);
    expect(bytes(first).includes('the loss')).toBe(false);
    expect(bytes(first).equals(bytes(second))).toBe(false);
    expect(bytes(first).length).toBeLessThan(text.length / 10);
    expect(metadata(first)).toEqual({
      encoding: 'binary/encrypted',
      'encryption-key-id': 'old',
      compression: 'zlib',
    });
  });

  it('reads what older keys sealed and what was never sealed, and seals with the newest', async () => {
    const before = await codec.encode([payloadOf({ seed: 1 })]);
    const after = createEncryptingCodec(() => twoKeys);
    const opened = await after.decode([...before, payloadOf('plain')]);
    expect(opened.map((payload) => defaultPayloadConverter.fromPayload(payload))).toEqual([
      { seed: 1 },
      'plain',
    ]);
    expect(metadata((await after.encode([payloadOf(1)]))[0])['encryption-key-id']).toBe('new');
  });

  it('looks for a key that was added meanwhile, and names the one that is missing', async () => {
    const sealed = await createEncryptingCodec(() => twoKeys).encode([payloadOf(1)]);
    await expect(codec.decode(sealed)).rejects.toThrow(/the key "new", which is not among old/);
    let keys = oneKey;
    const waiting = createEncryptingCodec(() => keys);
    keys = twoKeys;
    expect(defaultPayloadConverter.fromPayload((await waiting.decode(sealed))[0] ?? {})).toBe(1);
  });

  it.each(['data', 'compression', 'key', 'cut'])('notices a change (%s)', async (what) => {
    const [sealed] = await createEncryptingCodec(() => twoKeys).encode([payloadOf('x'.repeat(400))]);
    const data = Buffer.from(bytes(sealed));
    const changed: Payload = { metadata: { ...sealed?.metadata }, data };
    if (what === 'data') data.writeUInt8(data.readUInt8(20) ^ 1, 20);
    if (what === 'cut') changed.data = data.subarray(0, 9);
    if (what === 'compression' && changed.metadata) changed.metadata['compression'] = Buffer.from('none');
    if (what === 'key' && changed.metadata) changed.metadata['encryption-key-id'] = Buffer.from('old');
    await expect(createEncryptingCodec(() => twoKeys).decode([changed])).rejects.toThrow(ValueError);
  });
});

describe('the file of keys', () => {
  it('is made for its owner alone, and keeps older keys', async () => {
    const path = join(folder, 'keys.json');
    const first = await addPayloadKey(path, new Date('2026-03-01'));
    const second = await addPayloadKey(path, new Date('2026-04-01'));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const { active, keys } = readPayloadKeys(path);
    expect(active).toBe(second);
    expect([...keys.keys()]).toEqual([first, second]);
    expect(keys.get(first)?.length).toBe(32);
  });

  it.each([
    ['not json', '{"active": "a", keys', /no JSON/],
    ['a short key', '{"active":"a","keys":{"a":"c2VjcmV0"}}', /keys\.a: expected 32 bytes/],
    ['no active key', `{"active":"b","keys":{"a":"${old.toString('base64')}"}}`, /"active" to name one/],
    ['empty', '', /no JSON/],
  ])(
    'that is damaged (%s) is refused without a word of its content, and not written over',
    async (name, text, message) => {
      const path = join(folder, name);
      await writeFile(path, text, { mode: 0o600 });
      expect(() => readPayloadKeys(path)).toThrow(message);
      expect(() => readPayloadKeys(path)).not.toThrow(/c2VjcmV0/);
      await expect(addPayloadKey(path, new Date())).rejects.toThrow(message);
      expect(await readFile(path, 'utf8')).toBe(text);
    },
  );

  it('that everybody may read, or that is not there, is refused', async () => {
    const path = join(folder, 'open.json');
    await addPayloadKey(path, new Date());
    await chmod(path, 0o644);
    expect(() => readPayloadKeys(path)).toThrow(/everybody on this machine/);
    expect(() => readPayloadKeys(join(folder, 'none.json'))).toThrow(/ENOENT/);
  });
});

describe('the guard', () => {
  const guard = createSecretGuard(ownSecretFinder(['swordfish-12', '-----BEGIN X-----\nabc', 'short']));

  it.each([
    ['an own credential', { note: 'use swordfish-12 here' }],
    ['a key with lines', '-----BEGIN X-----\nabc'],
    ['a token of GitHub', `remote: ghp_${'a'.repeat(36)}`],
  ])('refuses %s, and does not repeat it', async (_name, value) => {
    const refused: unknown = await guard
      .encode([payloadOf('fine'), payloadOf(value)])
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ApplicationFailure);
    expect(refused).toMatchObject({ type: 'PayloadHoldsSecret', nonRetryable: false });
    expect(String(refused)).not.toMatch(/swordfish|abc|ghp_/);
  });

  it('lets everything else pass, as it is', async () => {
    const payloads = [payloadOf({ words: 'short tokens, and a password field' }), {}, payloadOf(undefined)];
    expect(await guard.encode(payloads)).toBe(payloads);
  });
});

function payloadOf(value: unknown): Payload {
  return defaultPayloadConverter.toPayload(value) ?? {};
}

function bytes(payload: Payload | undefined): Buffer {
  return Buffer.from(payload?.data ?? []);
}

function metadata(payload: Payload | undefined): Record<string, string> {
  const entries = Object.entries(payload?.metadata ?? {});
  return Object.fromEntries(entries.map(([name, value]) => [name, Buffer.from(value).toString()]));
}
