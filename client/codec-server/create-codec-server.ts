import { createHash, timingSafeEqual } from 'node:crypto';

import { fastifyCors } from '@fastify/cors';
import { fastify, type FastifyInstance } from 'fastify';
import { ValueError, type Payload, type PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { z } from 'zod';

export interface CodecServerOptions {
  readonly codec: PayloadCodec;
  /** Who brings it is answered. */
  readonly token: string;
  /** The Web UI's, such as http://127.0.0.1:8233: the only pages that a browser lets ask. */
  readonly origin: string;
}

/** Temporal takes no more in one request. */
const bodyLimit = 8 * 1024 * 1024;
const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

/** Protobuf's JSON of payloads, as the Web UI and the `temporal` command send it. */
const Payloads = z.object({
  payloads: z.array(
    z.object({
      metadata: z.record(z.string(), z.base64()).optional(),
      data: z.base64().optional(),
    }),
  ),
});

/** The protocol of Temporal's codec servers, for those who bring the token; not yet listening. */
export async function createCodecServer(options: CodecServerOptions): Promise<FastifyInstance> {
  const { codec, token, origin } = options;
  const server = fastify({ logger: false, bodyLimit });
  await server.register(fastifyCors, {
    origin: [origin],
    methods: ['POST'],
    allowedHeaders: ['authorization', 'content-type', 'x-namespace'],
    maxAge: 600,
  });
  server.get('/healthz', async () => ({ status: 'ok' }));
  const convert = (path: string, change: (payloads: Payload[]) => Promise<Payload[]>): void => {
    server.post(path, async (request, reply) => {
      if (!bears(request.headers.authorization, token)) {
        const message = 'Send the header Authorization: Bearer <HEPHAESTUS_CODEC_TOKEN>.';
        return reply.code(401).header('www-authenticate', 'Bearer').send({ message });
      }
      const body = Payloads.safeParse(request.body);
      if (!body.success) return reply.code(400).send({ message: z.prettifyError(body.error) });
      try {
        const changed = await change(body.data.payloads.map((payload) => PayloadMessage.fromObject(payload)));
        return { payloads: changed.map(toJson) };
      } catch (error) {
        if (!(error instanceof ValueError)) throw error;
        return reply.code(400).send({ message: error.message });
      }
    });
  };
  convert('/decode', (payloads) => codec.decode(payloads));
  convert('/encode', (payloads) => codec.encode(payloads));
  return server;
}

function toJson(payload: Payload): object {
  return PayloadMessage.toObject(PayloadMessage.fromObject(payload), { bytes: String });
}

function bears(header: string | undefined, token: string): boolean {
  const given = /^Bearer\s+(\S+)$/i.exec(header ?? '')?.[1] ?? '';
  // Digests are of equal length, whatever was given.
  return timingSafeEqual(digestOf(given), digestOf(token));
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
