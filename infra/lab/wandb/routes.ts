import { timingSafeEqual } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';

import { Fault, type FaultPlace, type Faults } from './faults.ts';
import { applyFileStream, FileStreamRequest } from './file-stream.ts';
import type { GraphqlApi } from './graphql-api.ts';
import { runPage, runsPage } from './pages.ts';
import { runFilePath } from './run-fields.ts';
import type { RunStore, StoredRun } from './run-store.ts';
import { unlessMissing } from '../../unless-missing.ts';

interface WandbRoutesOptions {
  readonly store: RunStore;
  readonly faults: Faults;
  readonly graphql: GraphqlApi;
  readonly apiKey: string;
}

const RunParameters = z.object({ entity: z.string(), project: z.string(), run: z.string() });
const FileParameters = RunParameters.extend({ '*': z.string() });
const GraphqlBody = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
});

/** What clients of W&B speak: GraphQL, `file_stream`, uploads and telemetry. */
export function addWandbRoutes(server: FastifyInstance, options: WandbRoutesOptions): void {
  const { store, faults, graphql, apiKey } = options;

  server.post('/graphql', async (request, reply) => {
    const body = GraphqlBody.safeParse(jsonOf(request));
    if (!body.success) return reply.code(400).send({ errors: [{ message: 'the body is not GraphQL' }] });
    const operation = body.data.operationName ?? /(?:query|mutation)\s+(\w+)/.exec(body.data.query)?.[1];
    return withFault(faults, { place: 'graphql', operation, reply }, async () => {
      if (!isAuthorized(request, apiKey)) return unauthorized(reply);
      const answer = await graphql(body.data);
      return reply.code(answer.status).send(answer.body);
    });
  });

  server.post('/files/:entity/:project/:run/file_stream', async (request, reply) =>
    withFault(faults, { place: 'file_stream', operation: undefined, reply }, async () => {
      if (!isAuthorized(request, apiKey)) return unauthorized(reply);
      const run = runOf(store, RunParameters.parse(request.params));
      if (run === undefined) return reply.code(404).send({ error: 'run not found' });
      const body = FileStreamRequest.safeParse(jsonOf(request));
      if (!body.success) return reply.code(400).send({ error: z.prettifyError(body.error) });
      await applyFileStream(store, run, body.data);
      return reply.send({ exitcode: run.record.exitCode, limits: {} });
    }),
  );

  // Without a key: the real server hands out addresses that are signed themselves.
  server.put('/storage/:entity/:project/:run/*', async (request, reply) =>
    withFault(faults, { place: 'upload', operation: undefined, reply }, async () => {
      const parameters = FileParameters.parse(request.params);
      const run = runOf(store, parameters);
      if (run === undefined) return reply.code(404).send();
      const path = runFilePath(run, parameters['*']);
      await mkdir(dirname(path), { recursive: true });
      await writeFileAtomic(path, request.body instanceof Buffer ? request.body : Buffer.alloc(0));
      return reply.code(200).send();
    }),
  );

  server.get('/storage/:entity/:project/:run/*', async (request, reply) => {
    const parameters = FileParameters.parse(request.params);
    const run = runOf(store, parameters);
    const content = run && (await unlessMissing(readFile(runFilePath(run, parameters['*']))));
    return content === undefined
      ? reply.code(404).send()
      : reply.type('text/plain; charset=utf-8').send(content);
  });
}

/** What tests and demonstrations ask of the stand-in itself. */
export function addLabRoutes(
  server: FastifyInstance,
  { store, faults }: { store: RunStore; faults: Faults },
): void {
  server.post('/_lab/faults', async (request, reply) => {
    const body = z.union([z.array(Fault), Fault.transform((fault) => [fault])]).safeParse(jsonOf(request));
    if (!body.success) return reply.code(400).send({ error: z.prettifyError(body.error) });
    for (const fault of body.data) {
      if (fault.kind === 'late-count') faults.lateCountMs = fault.seconds * 1000;
      else if (fault.kind === 'delete-run') {
        const { run } = await store.findOrCreate(fault);
        await store.update(run, { deleted: true });
      } else faults.add(fault);
    }
    return reply.code(204).send();
  });
  server.delete('/_lab/faults', async (_request, reply) => {
    faults.clear();
    return reply.code(204).send();
  });
}

/** Pages for people; no key is asked for. */
export function addPageRoutes(server: FastifyInstance, store: RunStore): void {
  server.get('/', async (_request, reply) => html(reply, runsPage('Runs', store.list())));
  server.get('/:entity/:project', async (request, reply) => {
    const { entity, project } = RunParameters.omit({ run: true }).parse(request.params);
    return html(reply, runsPage(`${entity}/${project}`, store.list(entity, project)));
  });
  server.get('/:entity/:project/runs/:run', async (request, reply) => {
    const run = runOf(store, RunParameters.parse(request.params));
    if (run === undefined)
      return html(reply.code(404), runsPage('No such run; these are here', store.list()));
    return html(reply, await runPage(run));
  });
}

function html(reply: FastifyReply, page: string): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(page);
}

async function withFault(
  faults: Faults,
  { place, operation, reply }: { place: FaultPlace; operation: string | undefined; reply: FastifyReply },
  handle: () => Promise<FastifyReply>,
): Promise<FastifyReply> {
  const fault = faults.take(place, operation);
  if (fault === undefined) return handle();
  if (fault.kind === 'drop') {
    // Whatever is sent from here on is lost, since the connection is gone.
    reply.raw.destroy();
    return fault.afterwards ? handle() : reply.hijack();
  }
  if (fault.retryAfterSeconds !== undefined) reply.header('retry-after', String(fault.retryAfterSeconds));
  const type = fault.body.startsWith('<') ? 'text/html' : 'application/json';
  return reply.code(fault.status).type(type).send(fault.body);
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

/** Undefined when there is no JSON; the schemas say what was expected instead. */
function jsonOf(request: FastifyRequest): unknown {
  if (!(request.body instanceof Buffer)) return undefined;
  try {
    return JSON.parse(request.body.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
