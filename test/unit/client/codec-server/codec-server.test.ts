import { randomBytes } from 'node:crypto';

import { defaultPayloadConverter } from '@temporalio/common';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { createCodecServer } from '../../../../client/codec-server/create-codec-server.ts';
import { createEncryptingCodec } from '../../../../infra/temporal/codec/create-encrypting-codec.ts';

const token = 'a-token-of-enough-characters';
const origin = 'http://127.0.0.1:8233';
const codec = createEncryptingCodec(() => ({ active: 'a', keys: new Map([['a', randomBytes(32)]]) }));
const bearer = { authorization: `Bearer ${token}` };
let server: FastifyInstance;
beforeAll(async () => {
  server = await createCodecServer({ codec, token, origin });
});
afterAll(() => server.close());

it('gives clear text to who brings the token, and seals what it is given', async () => {
  const payload = json(defaultPayloadConverter.toPayload({ loss: 0.25 }) ?? {});
  const encoded = await post('/encode', { payloads: [payload] });
  expect(encoded.statusCode).toBe(200);
  expect(encoded.body).not.toContain(payload.data);
  const decoded = await post('/decode', encoded.json());
  expect(decoded.json()).toEqual({ payloads: [payload] });
});

it.each([
  [{}],
  [{ authorization: 'Bearer wrong' }],
  [{ authorization: token }],
  [{ authorization: 'Basic eDp5' }],
])('answers nobody else (%j)', async (headers) => {
  for (const url of ['/decode', '/encode']) {
    const answer = await post(url, { payloads: [] }, headers);
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  }
});

it('lets only the Web UI ask from a browser', async () => {
  const own = await ask(origin);
  expect(own.statusCode).toBe(204);
  expect(own.headers['access-control-allow-origin']).toBe(origin);
  expect(own.headers['access-control-allow-headers']).toContain('x-namespace');
  expect((await ask('https://evil.example')).headers['access-control-allow-origin']).toBeUndefined();
});

it.each([
  ['no payloads', {}],
  ['no base64', { payloads: [{ data: '§' }] }],
  ['sealed by nobody', { payloads: [{ metadata: { encoding: b64('binary/encrypted') }, data: b64('x') }] }],
])('says what is wrong with a request (%s)', async (_name, body) => {
  const answer = await post('/decode', body);
  expect(answer.statusCode).toBe(400);
  expect(answer.json<{ message: string }>().message).not.toBe('');
});

it('says that it is well without a token', async () => {
  expect((await server.inject({ url: '/healthz' })).json()).toEqual({ status: 'ok' });
});

function ask(from: string) {
  return server.inject({
    method: 'OPTIONS',
    url: '/decode',
    headers: {
      origin: from,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,x-namespace',
    },
  });
}

function post(url: string, payload: object, headers: Record<string, string> = bearer) {
  return server.inject({ method: 'POST', url, payload, headers });
}

function json({
  metadata,
  data,
}: {
  metadata?: Record<string, Uint8Array> | null;
  data?: Uint8Array | null;
}) {
  const entries = Object.entries(metadata ?? {}).map(([name, value]) => [
    name,
    Buffer.from(value).toString('base64'),
  ]);
  return {
    metadata: Object.fromEntries(entries) as Record<string, string>,
    data: Buffer.from(data ?? []).toString('base64'),
  };
}

function b64(text: string): string {
  return Buffer.from(text).toString('base64');
}
