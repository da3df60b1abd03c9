import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { vi } from 'vitest';

import {
  startQizhiStandIn,
  type QizhiStandInOptions,
} from '../../../infra/lab/qizhi/start-qizhi-stand-in.ts';

const account = { username: 'researcher', password: 'canary-password' };

export interface Heard {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON, undefined where it is none. */
  readonly json: Record<string, unknown> | undefined;
}

export interface Told {
  readonly id: string;
  readonly status: string;
  readonly round: number;
  readonly starts: number;
  readonly reason: string;
  readonly events: readonly { readonly reason: string; readonly message: string }[];
}

/** A stand-in with short times, spoken to by plain HTTP: what its own behaviour is tested by. */
export async function openRawLab(options: Partial<QizhiStandInOptions> = {}) {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'qizhi-lab-')));
  const quick = { creatingMs: 0, queuingMs: 0, conflictMs: 0, graceMs: 2000 };
  const standIn = await startQizhiStandIn({ ...account, ...quick, ...options, directory });

  async function ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Heard> {
    const answer = await fetch(`${standIn.url}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      redirect: 'manual',
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, json: jsonOf(text) };
  }

  const lab = {
    standIn,
    directory,
    ask,
    lab: (method: string, path: string, body?: unknown) => ask(method, `/_lab/${path}`, body),
    set: (settings: object) => ask('PUT', '/_lab/settings', settings),
    logIn: async (password = account.password) =>
      ask('POST', '/auth/token', { username: account.username, password }),
    token: async () => {
      const { json } = await lab.logIn();
      const data = json?.['data'] as { access_token: unknown } | undefined;
      return String(data?.access_token);
    },
    /** Of `/openapi/v1/train_job`. */
    openapi: async (question: string, body: unknown) =>
      ask('POST', `/openapi/v1/train_job/${question}`, body, {
        authorization: `Bearer ${await lab.token()}`,
      }),
    v2: async (action: string, body: unknown, headers: Record<string, string> = v2Headers) =>
      ask('POST', `/api/v2/train?Action=${action}`, body, headers),
    create: async (command: string, changes: object = {}): Promise<string> => {
      const { json, text } = await lab.openapi('create', createBody(command, changes));
      const data = json?.['data'] as { job_id?: string } | null | undefined;
      if (data?.job_id === undefined) throw new Error(`the job was not created: ${text}`);
      return data.job_id;
    },
    detail: async (id: string) =>
      (await lab.openapi('detail', { job_id: id })).json?.['data'] as Record<string, unknown>,
    job: async (id: string) => (await lab.lab('GET', `jobs/${id}`)).json as unknown as Told,
    /** Asks until the job's true status is one of these. */
    reached: async (id: string, ...statuses: string[]): Promise<Told> =>
      vi.waitFor(
        async () => {
          const job = await lab.job(id);
          if (!statuses.includes(job.status)) throw new Error(`it is ${job.status}`);
          return job;
        },
        { timeout: 20_000, interval: 30 },
      ),
    output: async (id: string) => (await ask('GET', `/jobs/${id}/output`)).text,
    remove: async () => {
      await standIn.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return lab;
}

export type RawLab = Awaited<ReturnType<typeof openRawLab>>;

export const v2Headers = { cookie: 'a=b; inspire-session=lab-session', 'x-inspire-client-source': 'test' };

export function createBody(command: string, changes: object = {}, config: object = {}) {
  return {
    name: 'sft-demo',
    logic_compute_group_id: 'lcg-00000000-0000-4000-8000-000000000001',
    project_id: 'project-00000000-0000-4000-8000-000000000002',
    workspace_id: 'ws-00000000-0000-4000-8000-000000000003',
    framework: 'pytorch',
    command,
    task_priority: 4,
    framework_config: [
      {
        image: 'registry.invalid/demo:1.0',
        image_type: 'SOURCE_PRIVATE',
        instance_count: 1,
        shm_gi: 20,
        spec_id: '00000000-0000-4000-8000-000000000004',
        ...config,
      },
    ],
    ...changes,
  };
}

function jsonOf(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
