import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';

import { runPage, runsPage } from './pages.ts';
import type { RunStore } from './run-store.ts';
import type { Settings } from './settings.ts';

const ProjectParameters = z.object({ entity: z.string(), project: z.string() });
const RunParameters = ProjectParameters.extend({ run: z.string() });

/** Pages for people; no key is asked for. */
export function addPageRoutes(server: FastifyInstance, store: RunStore, settings: () => Settings): void {
  server.get('/', async (_request, reply) => html(reply, await runsPage('Runs', store.list(), settings())));
  server.get('/:entity/:project', async (request, reply) => {
    const { entity, project } = ProjectParameters.parse(request.params);
    const page = await runsPage(`${entity}/${project}`, store.list(entity, project), settings());
    return html(reply, page);
  });
  server.get('/:entity/:project/runs/:run', async (request, reply) => {
    const { entity, project, run: runId } = RunParameters.parse(request.params);
    const run = store.find({ entity, project, runId });
    if (run === undefined || run.record.deleted) {
      return html(reply.code(404), await runsPage('No such run; these are here', store.list(), settings()));
    }
    return html(reply, await runPage(run, settings()));
  });
}

function html(reply: FastifyReply, page: string): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(page);
}
