import { randomUUID } from 'node:crypto';

import type { Account } from './accounts.ts';
import { answerBefore, expired, json, type Answer, type Fault, type Question } from './faults.ts';
import { endedStatuses, type Job } from './job.ts';
import type { JobStore } from './job-store.ts';
import { presentJob } from './present-job.ts';
import { validateCreate } from './validate-create.ts';
import { terminateWorkers } from './workers.ts';

export interface OpenapiOptions {
  readonly store: JobStore;
  readonly account: Account;
  /** GPUs of a node by `spec_id`; a spec that is not here has one. */
  readonly specs: Readonly<Record<string, number>>;
  /** How long after its creation a job cannot be stopped yet, ms. */
  readonly conflictMs: number;
}

interface Call {
  readonly on: Question;
  readonly raw: string;
  readonly authorization: string | undefined;
}

/** `drop`: the connection is closed without an answer. */
type Outcome = Answer | 'drop';

export interface Openapi {
  /** How often each question was asked, refused and failed ones included. */
  readonly counts: Record<Question, number>;
  answer(call: Call, fault: Fault | undefined): Promise<Outcome>;
}

const unknownJob = json(100_002, 'job not found', null);

/** The platform's four questions. What `create` promises is on disk before it is answered. */
export function createOpenapi({ store, account, specs, conflictMs }: OpenapiOptions): Openapi {
  const counts = { token: 0, create: 0, detail: 0, stop: 0 };

  async function create(body: unknown, raw: string): Promise<Answer> {
    const refusal = validateCreate(body, raw);
    if (refusal !== undefined) return json(refusal.code, refusal.message, null, refusal.httpStatus);
    const job = newJob(body as CreateBody, specs);
    await store.save(job);
    return json(0, 'success', presentJob(job, Date.now()));
  }

  async function stop(job: Job): Promise<Answer> {
    const now = Date.now();
    if (endedStatuses.has(job.status) || now - job.createdAt < conflictMs) {
      return json(100_009, `Conflict: ${job.status} cannot be stopped`, null);
    }
    if (job.stopAt !== null) return json(0, 'success', {});
    Object.assign(job, { stopAt: now, ...(job.status === 'job_running' && { status: 'job_stopping' }) });
    await store.save(job);
    await terminateWorkers(job, store.folder(job.id));
    return json(0, 'success', {});
  }

  async function act(on: Question, body: unknown, raw: string): Promise<Answer> {
    if (on === 'token') return account.logIn(body);
    if (on === 'create') return create(body, raw);
    const jobId = typeof body === 'object' && body !== null && 'job_id' in body ? body.job_id : undefined;
    const job = typeof jobId === 'string' ? store.jobs.get(jobId) : undefined;
    if (job === undefined) return unknownJob;
    return on === 'stop' ? stop(job) : json(0, 'success', presentJob(job, Date.now()));
  }

  return {
    counts,
    async answer({ on, raw, authorization }, fault) {
      counts[on] += 1;
      if (fault?.kind === 'drop') return 'drop';
      const early = fault === undefined ? undefined : answerBefore(fault);
      if (early !== undefined) return early;
      if (on !== 'token' && !account.accepts(authorization)) return expired('code');
      const body = parse(raw);
      if (body === undefined) return json(-100_000, '参数校验错误', null, 400);
      return spoil(await act(on, body, raw), fault);
    },
  };
}

/** What a fault makes of an answer to something that was really done. */
function spoil(answer: Answer, fault: Fault | undefined): Outcome {
  if (fault?.kind === 'commit-then-drop') return 'drop';
  if (fault?.kind === 'commit-then-500') return json(500, '内部服务错误', null, 500);
  if (fault?.kind === 'commit-without-job-id') return json(0, 'success', { sub_code: 0, sub_msg: '' });
  return answer;
}

interface CreateBody extends Record<string, unknown> {
  readonly command: string;
  readonly framework_config: readonly [{ readonly instance_count: number; readonly spec_id: string }];
}

function newJob(request: CreateBody, specs: Readonly<Record<string, number>>): Job {
  const [config] = request.framework_config;
  return {
    id: `job-${randomUUID()}`,
    request,
    command: request.command,
    nodes: config.instance_count,
    gpusPerNode: specs[config.spec_id] ?? 1,
    status: 'job_creating',
    reason: '',
    createdAt: Date.now(),
    preparedAt: null,
    runAt: null,
    finishedAt: null,
    stopAt: null,
    shown: null,
  };
}

function parse(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
