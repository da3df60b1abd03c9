import { timingSafeEqual } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';

import { unlessMissing } from '../../unless-missing.ts';
import type { ArtifactStore } from './artifact-store.ts';
import type { Faults, Place } from './faults.ts';
import { applyFileStream, FileStreamRequest } from './file-stream.ts';
import type { GraphqlApi } from './graphql-api.ts';
import { RateLimit } from './rate-limit.ts';
import { requestJson } from './request-json.ts';
import { runFilePath } from './run-fields.ts';
import type { RunStore, StoredRun } from './run-store.ts';
import type { Settings } from './settings.ts';
import type { Stats } from './stats.ts';
import { withFault } from './with-fault.ts';

interface WandbRoutesOptions {
  readonly store: RunStore;
  readonly artifacts: ArtifactStore;
  readonly faults: Faults;
  readonly stats: Stats;
  readonly settings: () => Settings;
  readonly graphql: GraphqlApi;
  readonly apiKey: string;
}

const RunParameters = z.object({ entity: z.string(), project: z.string(), run: z.string() });
const FileParameters = RunParameters.extend({ '*': z.string() });
const ArtifactParameters = z.object({
  id: z.string(),
  part: z.enum(['manifests', 'files']),
  '*': z.string(),
});
const GraphqlBody = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
});

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

/** What clients of W&B speak: GraphQL, `file_stream`, uploads and downloads. */
export function addWandbRoutes(server: FastifyInstance, options: WandbRoutesOptions): void {
  const { faults, stats } = options;
  /** Every request is counted and may meet a fault. */
  const at =
    (place: Place, handle: Handler): Handler =>
    (request, reply) => {
      const operation = place === 'graphql' ? operationOf(request) : undefined;
      stats.asked(place, operation, request.body instanceof Buffer ? request.body.length : 0);
      return withFault(faults, { place, operation, path: request.url, reply }, () => handle(request, reply));
    };
  server.addHook('onResponse', async (_request, reply) => stats.answered(reply.statusCode));
  server.post('/graphql', at('graphql', graphqlHandler(options)));
  server.post('/files/:entity/:project/:run/file_stream', at('file_stream', fileStreamHandler(options)));
  // Without a key: the real server hands out addresses that are signed themselves.
  addRunFiles(server, options, at);
  addArtifactFiles(server, options, at);
}

function graphqlHandler({ graphql, apiKey }: WandbRoutesOptions): Handler {
  return async (request, reply) => {
    if (!isAuthorized(request, apiKey)) return unauthorized(reply);
    const body = GraphqlBody.safeParse(requestJson(request));
    if (!body.success) return reply.code(400).send({ errors: [{ message: 'the body is not GraphQL' }] });
    const answer = await graphql(body.data);
    return reply.code(answer.status).send(answer.body);
  };
}

function fileStreamHandler({ store, settings, stats, apiKey }: WandbRoutesOptions): Handler {
  const limit = new RateLimit();
  return async (request, reply) => {
    if (!isAuthorized(request, apiKey)) return unauthorized(reply);
    const run = runOf(store, RunParameters.parse(request.params));
    if (run === undefined) return reply.code(404).send({ error: 'run not found' });
    const { requestsPerSecondPerRun: perSecond, readOnlyProjects } = settings();
    if (readOnlyProjects.includes(run.record.project)) {
      return reply.code(403).send({ error: `permission denied: project ${run.record.project} is read-only` });
    }
    if (perSecond !== null) {
      const { allowed, remaining, resetSeconds } = limit.take(run.record.id, perSecond, Date.now());
      reply.header('ratelimit-remaining', remaining).header('ratelimit-reset', resetSeconds.toFixed(3));
      if (!allowed) {
        const retryAfter = Math.max(1, Math.ceil(resetSeconds));
        return reply
          .code(429)
          .header('retry-after', retryAfter)
          .send({ error: `more than ${perSecond} requests a second for this run` });
      }
    }
    const body = FileStreamRequest.safeParse(requestJson(request));
    if (!body.success) return reply.code(400).send({ error: z.prettifyError(body.error) });
    stats.gotRows(body.data.files?.['wandb-history.jsonl']?.content.length ?? 0);
    try {
      await applyFileStream(store, run, body.data);
    } catch (error) {
      if (error instanceof SyntaxError) return reply.code(400).send({ error: error.message });
      throw error;
    }
    return reply.send({ exitcode: run.record.exitCode, limits: {} });
  };
}

type At = (place: Place, handle: Handler) => Handler;

function addRunFiles(server: FastifyInstance, { store }: WandbRoutesOptions, at: At): void {
  const put: Handler = async (request, reply) => {
    const parameters = FileParameters.parse(request.params);
    const run = runOf(store, parameters);
    if (run === undefined) return reply.code(404).send();
    const path = runFilePath(run, parameters['*']);
    await mkdir(dirname(path), { recursive: true });
    await writeFileAtomic(path, bytesOf(request), { fsync: false });
    return reply.code(200).send();
  };
  const get: Handler = async (request, reply) => {
    const parameters = FileParameters.parse(request.params);
    const run = runOf(store, parameters);
    return sendFile(reply, run && (await unlessMissing(readFile(runFilePath(run, parameters['*'])))));
  };
  server.put('/storage/:entity/:project/:run/*', at('upload', put));
  server.get('/storage/:entity/:project/:run/*', at('download', get));
}

function addArtifactFiles(server: FastifyInstance, { artifacts }: WandbRoutesOptions, at: At): void {
  const put: Handler = async (request, reply) => {
    const { id, part, '*': name } = ArtifactParameters.parse(request.params);
    if (artifacts.find(id) === undefined) return reply.code(404).send();
    await artifacts.write(id, part, name, bytesOf(request));
    return reply.code(200).send();
  };
  const get: Handler = async (request, reply) => {
    const { id, part, '*': name } = ArtifactParameters.parse(request.params);
    const known = artifacts.find(id) !== undefined;
    return sendFile(reply, known ? await artifacts.read(id, part, name) : undefined);
  };
  server.put('/artifacts/:id/:part/*', at('upload', put));
  server.get('/artifacts/:id/:part/*', at('download', get));
}

function bytesOf({ body }: FastifyRequest): Buffer {
  return body instanceof Buffer ? body : Buffer.alloc(0);
}

function sendFile(reply: FastifyReply, content: Buffer | undefined): FastifyReply {
  return content === undefined
    ? reply.code(404).send()
    : reply.type('text/plain; charset=utf-8').send(content);
}

function operationOf(request: FastifyRequest): string | undefined {
  const body = GraphqlBody.safeParse(requestJson(request));
  if (!body.success) return undefined;
  return body.data.operationName || /(?:query|mutation)\s+(\w+)/.exec(body.data.query)?.[1];
}

function isAuthorized(request: FastifyRequest, apiKey: string): boolean {
  const given = Buffer.from(request.headers.authorization ?? '');
  const wanted = Buffer.from(`Basic ${Buffer.from(`api:${apiKey}`).toString('base64')}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function unauthorized(reply: FastifyReply): FastifyReply {
  return reply.code(401).send({ errors: [{ message: 'invalid api key' }] });
}

function runOf(
  store: RunStore,
  { entity, project, run }: z.infer<typeof RunParameters>,
): StoredRun | undefined {
  const found = store.find({ entity, project, runId: run });
  return found?.record.deleted === true ? undefined : found;
}
