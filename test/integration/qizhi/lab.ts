import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Logger } from 'pino';
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
import type { QizhiCredential, QizhiSettings } from '../../../infra/settings.ts';
import { exampleNote } from '../../support/example-note.ts';

export const account = { username: 'researcher', password: 'canary-password' };

export type SurfaceName = QizhiSettings['api'];

interface Stats {
  readonly logins: number;
  readonly refused: number;
  readonly token: number;
  readonly create: number;
  readonly detail: number;
  readonly stop: number;
  readonly list: number;
  readonly events: number;
  readonly mostPerSecond: Readonly<Record<string, number>>;
  readonly jobs: number;
  readonly trouble: string;
}

interface ClientChanges extends Partial<QizhiSettings> {
  readonly password?: string;
  readonly timeoutMs?: number;
  readonly log?: Logger;
  readonly credential?: QizhiCredential;
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
    script: (id: string, steps: readonly object[]) =>
      fetch(`${standIn.url}/_lab/jobs/${id}/script`, { method: 'PUT', body: JSON.stringify(steps) }),
    stats: async () => (await (await fetch(`${standIn.url}/_lab/stats`)).json()) as Stats,
    output: async (id: string) => (await fetch(`${standIn.url}/jobs/${id}/output`)).text(),
    set: (settings: object) =>
      fetch(`${standIn.url}/_lab/settings`, { method: 'PUT', body: JSON.stringify(settings) }),
    client: ({ password = account.password, timeoutMs = 5000, log, ...changes }: ClientChanges = {}) => {
      const settings: QizhiSettings = {
        baseUrl: standIn.url,
        api: 'openapi',
        credential: { kind: 'login', username: account.username, password },
        clientSource: 'test',
        proxy: undefined,
        requestsPerSecond: 1000,
        ...changes,
      };
      return createQizhiClient(settings, { timeoutMs, ...(log !== undefined && { log }) });
    },
    remove: async () => {
      await standIn.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export type Lab = Awaited<ReturnType<typeof openLab>>;

export function body(command: string, changes: Partial<CreateJobBody> = {}): CreateJobBody {
  const { job } = exampleNote();
  return { ...jobBody({ experimentId: 'warmup-cosine', attempt: 1, seed: 0, job, command }), ...changes };
}

export async function createdJob(
  client: QizhiClient,
  command: string,
  changes: Partial<CreateJobBody> = {},
): Promise<string> {
  const outcome = await client.createJob(body(command, changes));
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
