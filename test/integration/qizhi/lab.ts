import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { vi } from 'vitest';

import type { JobObservation } from '../../../domain/job.ts';
import type { Fault } from '../../../infra/lab/qizhi/faults.ts';
import {
  startQizhiStandIn,
  type QizhiStandIn,
  type QizhiStandInOptions,
} from '../../../infra/lab/qizhi/start-qizhi-stand-in.ts';
import { createQizhiClient, type QizhiClient } from '../../../infra/qizhi/client.ts';
import { jobBody, type CreateJobBody } from '../../../infra/qizhi/job-body.ts';
import { exampleNote } from '../../support/example-note.ts';

export const account = { username: 'researcher', password: 'canary-password' };

interface Stats {
  readonly logins: number;
  readonly refused: number;
  readonly token: number;
  readonly create: number;
  readonly detail: number;
  readonly stop: number;
  readonly jobs: number;
  readonly trouble: string;
}

/** A stand-in with short times, and what a test asks of it. */
export async function openLab(options: Partial<QizhiStandInOptions> = {}) {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'qizhi-')));
  const quick = { creatingMs: 50, queuingMs: 50, conflictMs: 0, graceMs: 2000 };
  const standIn: QizhiStandIn = await startQizhiStandIn({ ...account, ...quick, ...options, directory });
  return {
    standIn,
    directory,
    fault: (fault: Partial<Fault> & Pick<Fault, 'kind' | 'on'>) =>
      fetch(`${standIn.url}/_lab/faults`, { method: 'POST', body: JSON.stringify(fault) }),
    show: (id: string, shown: object | null) =>
      fetch(`${standIn.url}/_lab/jobs/${id}/shown`, { method: 'PUT', body: JSON.stringify(shown) }),
    stats: async () => (await (await fetch(`${standIn.url}/_lab/stats`)).json()) as Stats,
    output: async (id: string) => (await fetch(`${standIn.url}/jobs/${id}/output`)).text(),
    client: (changes: { password?: string; proxy?: string; timeoutMs?: number } = {}) => {
      const { timeoutMs = 5000, ...rest } = changes;
      const settings = { baseUrl: standIn.url, proxy: undefined, ...account, ...rest };
      return createQizhiClient(settings, { timeoutMs });
    },
    remove: async () => {
      await standIn.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export type Lab = Awaited<ReturnType<typeof openLab>>;

export function body(command: string, changes: Partial<CreateJobBody> = {}): CreateJobBody {
  return { ...jobBody(exampleNote().job, 'hephaestus-warmup-cosine-a1-s0', command), ...changes };
}

export async function createdJob(client: QizhiClient, command: string): Promise<string> {
  const outcome = await client.createJob(body(command));
  if (outcome.status !== 'created') throw new Error(`the job was not created: ${outcome.reason}`);
  return outcome.jobId;
}

/** Asks until the job is in one of the states. */
export async function reached(
  client: QizhiClient,
  jobId: string,
  ...states: JobObservation['state'][]
): Promise<JobObservation> {
  return vi.waitFor(
    async () => {
      const observation = await client.getJob(jobId);
      if (!states.includes(observation.state)) throw new Error(`it is ${observation.rawStatus}`);
      return observation;
    },
    { timeout: 15_000, interval: 50 },
  );
}
