import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

import type { Isolation } from '../../isolation/isolation.ts';
import { unlessMissing } from '../../unless-missing.ts';
import type { Job } from './job.ts';
import { withBody, type LabRoutesOptions } from './lab-routes.ts';
import { jobsPage } from './page.ts';
import { Script } from './script.ts';

const Shown = z.strictObject({
  status: z.string().min(1),
  reason: z.string().default(''),
  round: z.int().default(1),
});

interface JobRoute {
  Params: { readonly id: string };
}

export interface JobRoutesOptions extends LabRoutesOptions {
  readonly isolation: Isolation;
}

/** The jobs, for people and for those who make them misbehave; `latest` stands for the id of the newest. */
export function addJobRoutes(server: FastifyInstance, options: JobRoutesOptions): void {
  const { store, scheduler } = options;

  async function withJob(
    request: FastifyRequest<JobRoute>,
    reply: FastifyReply,
    use: (job: Job) => Promise<FastifyReply>,
  ): Promise<FastifyReply> {
    const { id } = request.params;
    const job = id === 'latest' ? [...store.jobs.values()].at(-1) : store.jobs.get(id);
    return job === undefined ? reply.code(404).send({ error: `there is no job ${id}` }) : use(job);
  }

  server.get('/', async (request, reply) =>
    reply.type('text/html; charset=utf-8').send(jobsPage(options, `http://${request.host}`)),
  );
  server.get<JobRoute>('/jobs/:id/output', async (request, reply) =>
    withJob(request, reply, async (job) => {
      const path = join(store.folder(job.id), 'worker-0', 'output.log');
      reply.type('text/plain; charset=utf-8');
      return (await unlessMissing(stat(path))) === undefined
        ? reply.send('nothing was written yet\n')
        : reply.send(createReadStream(path));
    }),
  );

  server.get('/_lab/jobs', async () => [...store.jobs.values()]);
  server.get<JobRoute>('/_lab/jobs/:id', async (request, reply) =>
    withJob(request, reply, async (job) => reply.send(job)),
  );
  server.put<JobRoute>('/_lab/jobs/:id/shown', async (request, reply) =>
    withJob(request, reply, async (job) =>
      withBody(Shown.nullable(), request, reply, async (shown) => {
        await scheduler.show(job, shown);
        return reply.code(204).send();
      }),
    ),
  );
  server.delete<JobRoute>('/_lab/jobs/:id/shown', async (request, reply) =>
    withJob(request, reply, async (job) => {
      await scheduler.show(job, null);
      return reply.code(204).send();
    }),
  );
  server.get<JobRoute>('/_lab/jobs/:id/script', async (request, reply) =>
    withJob(request, reply, async (job) => reply.send(job.script ?? { steps: [] })),
  );
  server.put<JobRoute>('/_lab/jobs/:id/script', async (request, reply) =>
    withJob(request, reply, async (job) =>
      withBody(Script, request, reply, async (steps) => {
        await scheduler.setScript(job, steps);
        return reply.code(204).send();
      }),
    ),
  );
  server.delete<JobRoute>('/_lab/jobs/:id/script', async (request, reply) =>
    withJob(request, reply, async (job) => {
      await scheduler.setScript(job, null);
      return reply.code(204).send();
    }),
  );
}
