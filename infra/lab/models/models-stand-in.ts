import { randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { sync as writeFileAtomicSync } from 'write-file-atomic';
import type { z } from 'zod';

import type { StandIn, StandInOptions } from '../stand-in.ts';
import { type CallLog, type ModelCall, openCallLog } from './calls.ts';
import type { Conversation, Reply } from './conversation.ts';
import { createFaultQueue, Fault, type FaultQueue, nonsense, outsidePathReply } from './faults.ts';
import { geminiStream, readGeminiRequest, writeGeminiReply } from './gemini-protocol.ts';
import { openaiStream, readOpenaiRequest, writeOpenaiReply } from './openai-protocol.ts';
import { modelsPage } from './page.ts';
import { type ModelsScript, nextReply, readRequest, roleOf } from './script.ts';

export interface ModelsStandIn extends StandIn {
  readonly calls: () => readonly ModelCall[];
  /** The same as POST /_lab/faults. */
  readonly addFault: (fault: z.input<typeof Fault>) => void;
}

interface Context {
  readonly script: ModelsScript;
  readonly key: string;
  readonly log: CallLog;
  readonly faults: FaultQueue;
}

const models = { gemini: 'gemini-3.1-pro-preview', openai: 'qwen3-coder-plus' };

/** Both model endpoints on one port; what they answer comes from the script, over the real protocols. */
export async function startModelsStandIn(
  options: StandInOptions & { readonly script: ModelsScript },
): Promise<ModelsStandIn> {
  mkdirSync(options.directory, { recursive: true });
  const context: Context = {
    script: options.script,
    key: readOrMakeKey(options.directory),
    log: openCallLog(options.directory),
    faults: createFaultQueue(),
  };
  const server = Fastify({ bodyLimit: 64 * 1024 * 1024, forceCloseConnections: true });
  addPages(server, context);
  addGemini(server, context);
  addOpenai(server, context);
  const url = await server.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  return {
    name: 'models',
    url,
    settings: {
      GEMINI_API_KEY: context.key,
      GEMINI_MODEL: models.gemini,
      GOOGLE_GEMINI_BASE_URL: url,
      OPENAI_API_KEY: context.key,
      OPENAI_MODEL: models.openai,
      OPENAI_BASE_URL: `${url}/v1`,
    },
    calls: () => context.log.list(),
    addFault: (fault) => context.faults.add(Fault.parse(fault)),
    close: () => server.close(),
  };
}

function addPages(server: FastifyInstance, { log, faults }: Context): void {
  server.get('/', async (_request, reply) =>
    reply.type('text/html').send(modelsPage(log.list(), faults.list())),
  );
  server.post('/_lab/faults', async (request, reply) => {
    const fault = Fault.safeParse(request.body);
    if (!fault.success) return reply.code(422).send({ problems: fault.error.issues });
    faults.add(fault.data);
    return reply.code(201).send(fault.data);
  });
  server.get('/_lab/faults', async () => faults.list());
  server.delete('/_lab/faults', async (_request, reply) => {
    faults.clear();
    return reply.code(204).send();
  });
  server.get('/_lab/calls', async () => log.list());
}

function addGemini(server: FastifyInstance, context: Context): void {
  server.get('/v1beta/models/:model', async (request, reply) => {
    if (!authorized(context, request.headers['x-goog-api-key'])) return refuseGemini(reply);
    const status = context.faults.takeStatus();
    if (status !== undefined) return reply.code(status).send(errorBody(status));
    return { name: `models/${(request.params as { model: string }).model}` };
  });
  server.post('/v1beta/models/:call', async (request, reply) => {
    if (!authorized(context, request.headers['x-goog-api-key'])) return refuseGemini(reply);
    const [model = '', method = ''] = (request.params as { call: string }).call.split(':');
    const conversation = readGeminiRequest(model, request.body);
    const stream = method === 'streamGenerateContent';
    return answer(context, request, reply, conversation, (words) =>
      stream
        ? { type: 'text/event-stream', body: geminiStream(words) }
        : { type: 'application/json', body: JSON.stringify(writeGeminiReply(words)) },
    );
  });
}

function addOpenai(server: FastifyInstance, context: Context): void {
  server.get('/v1/models', async (request, reply) => {
    if (!authorized(context, bearer(request))) return refuseOpenai(reply);
    const status = context.faults.takeStatus();
    if (status !== undefined) return reply.code(status).send(errorBody(status));
    return { object: 'list', data: Object.values(models).map((id) => ({ id, object: 'model' })) };
  });
  server.post('/v1/chat/completions', async (request, reply) => {
    if (!authorized(context, bearer(request))) return refuseOpenai(reply);
    const conversation = readOpenaiRequest(request.body);
    return answer(context, request, reply, conversation, (words) =>
      conversation.stream
        ? { type: 'text/event-stream', body: openaiStream(conversation.model, words) }
        : { type: 'application/json', body: JSON.stringify(writeOpenaiReply(conversation.model, words)) },
    );
  });
}

type Encode = (reply: Reply) => { readonly type: string; readonly body: string };

async function answer(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  conversation: Conversation,
  encode: Encode,
): Promise<FastifyReply> {
  const role = roleOf(conversation.prompt);
  const fault = context.faults.take(role);
  const words = wordsFor(context.script, conversation, fault);
  context.log.add({
    at: new Date().toISOString(),
    protocol: conversation.protocol,
    role,
    experimentId: readRequest(conversation).experimentId,
    turn: conversation.turn,
    results: conversation.results.length,
    answer: fault === undefined ? describe(words) : `fault ${fault.kind}`,
    prompt: conversation.prompt.slice(0, 4000),
  });
  const { type, body } = encode(words);
  if (typeof fault?.kind === 'number') {
    if (fault.kind === 429) void reply.header('retry-after', '1');
    return reply.code(fault.kind).send(errorBody(fault.kind));
  }
  switch (fault?.kind) {
    case 'html':
      return reply.type('text/html').send('<!doctype html><title>Sign in</title><h1>Sign in</h1>');
    case 'cut':
      reply.hijack();
      reply.raw.writeHead(200, { 'content-type': type });
      reply.raw.write(body.slice(0, body.length / 2), () => reply.raw.destroy());
      return reply;
    case 'endless':
      return endless(request, reply, encode);
    case 'slow':
      await wait(fault.delayMs);
      return reply.type(type).send(body);
    case undefined:
    case 'nonsense':
    case 'outside-path':
      return reply.type(type).send(body);
  }
}

function wordsFor(script: ModelsScript, conversation: Conversation, fault: Fault | undefined): Reply {
  if (fault?.kind === 'nonsense') return nonsense;
  if (fault?.kind === 'outside-path') return outsidePathReply(conversation);
  return nextReply(script, conversation);
}

/** Pieces of text until the caller hangs up. */
async function endless(request: FastifyRequest, reply: FastifyReply, encode: Encode): Promise<FastifyReply> {
  reply.hijack();
  reply.raw.writeHead(200, { 'content-type': 'text/event-stream' });
  const piece = encode({ text: 'and so on '.repeat(1000), calls: [] }).body;
  const open = piece.split(/\r?\n\r?\n/)[0] ?? '';
  while (!request.raw.destroyed && !reply.raw.destroyed) {
    reply.raw.write(`${open}\n\n`);
    await wait(20);
  }
  return reply;
}

function describe(reply: Reply): string {
  const calls = reply.calls.map(({ name, args }) => {
    const path = args['file_path'];
    return typeof path === 'string' ? `${name} ${path}` : name;
  });
  return [...calls, reply.text.slice(0, 80)].filter((part) => part !== '').join('; ');
}

function errorBody(code: number): object {
  return { error: { code, message: `fault ${code} on request`, status: 'LAB_FAULT' } };
}

function refuseGemini(reply: FastifyReply): FastifyReply {
  const error = { code: 401, message: 'API key not valid', status: 'UNAUTHENTICATED' };
  return reply.code(401).send({ error });
}

function refuseOpenai(reply: FastifyReply): FastifyReply {
  const error = {
    message: 'Incorrect API key provided',
    type: 'invalid_request_error',
    code: 'invalid_api_key',
  };
  return reply.code(401).send({ error });
}

function bearer(request: FastifyRequest): string {
  return (request.headers.authorization ?? '').replace(/^Bearer /, '');
}

function authorized({ key }: Context, given: string | string[] | undefined): boolean {
  const [expected, actual] = [Buffer.from(key), Buffer.from(String(given))];
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

function readOrMakeKey(directory: string): string {
  const file = join(directory, 'key');
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  const key = `lab-model-${randomBytes(16).toString('hex')}`;
  writeFileAtomicSync(file, `${key}\n`, { mode: 0o600 });
  return key;
}
