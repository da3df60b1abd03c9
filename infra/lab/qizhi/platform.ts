import { randomUUID } from 'node:crypto';

import { refuse, type Result } from './answers.ts';
import type { Question } from './faults.ts';
import { endedStatuses, gpusOf, type Job } from './job.ts';
import type { JobStore } from './job-store.ts';
import type { Newcomers } from './newcomers.ts';
import { listFields, listJobs } from './list-jobs.ts';
import { presentEvent, presentInstances, presentJob } from './present-job.ts';
import { canonicalNames, fieldTrouble, isRecord, type Fields, type Values } from './request-fields.ts';
import type { Scheduler } from './scheduler.ts';
import type { LiveSettings } from './settings.ts';
import {
  refuseByPolicy,
  v2Names,
  validateCreate,
  withPriority,
  type CreateBody,
  type SurfaceName,
} from './validate-create.ts';

export interface PlatformOptions {
  readonly store: JobStore;
  readonly settings: LiveSettings;
  readonly scheduler: Scheduler;
  readonly newcomers: Newcomers;
}

export interface Request {
  readonly on: Exclude<Question, 'token'>;
  readonly body: unknown;
  /** The text of the body. */
  readonly raw: string;
  readonly surface: SurfaceName;
}

export type Platform = (request: Request) => Promise<Result>;

const unknownJob = refuse('unknown-job', 'job not found');
const idFields: Fields = { job_id: 'string' };
const fieldsOf: Readonly<Record<Exclude<Question, 'token' | 'create'>, Fields>> = {
  detail: idFields,
  stop: idFields,
  delete: idFields,
  list: listFields,
  events: { filter: 'object', PageNumber: 'int', page_size: 'int', sorter: 'list' },
  instances: { ...idFields, running_round: 'int', PageNumber: 'int', page_size: 'int' },
};
const mostEventObjects = 20;

/** What the platform does, whichever surface asks. What `create` promises is on disk before it is answered. */
export function createPlatform({ store, settings, scheduler, newcomers }: PlatformOptions): Platform {
  const present = (job: Job) => presentJob(job, Date.now(), settings.current.clock.skewMs);

  async function create({ body, raw, surface }: Request): Promise<Result> {
    const { create: policy, dry } = settings.current;
    const given = surface === 'v2' && isRecord(body) ? v2Names(body) : body;
    const invalid = validateCreate(given, raw, surface);
    if (invalid !== undefined) return { refusal: invalid };
    const whole = withPriority(given as Values);
    const refusal = refuseByPolicy(whole, policy);
    if (refusal !== undefined) return { refusal };
    const [config] = whole.framework_config;
    const job = newJob(whole, policy.specs[config.spec_id]?.gpus ?? 1, {
      dry,
      stuck: policy.images !== null && policy.images[config.image] === undefined,
    });
    const overQuota = quotaTrouble(gpusOf(job));
    if (overQuota !== undefined) return refuse('internal', overQuota);
    await scheduler.take(job, newcomers.scriptFor(job));
    return { data: present(job) };
  }

  function quotaTrouble(wanted: number): string | undefined {
    const { quota } = settings.current.create;
    if (quota === null) return undefined;
    const open = [...store.jobs.values()].filter((job) => !endedStatuses.has(job.status));
    const submitted = open.reduce((sum, job) => sum + gpusOf(job), 0);
    if (submitted + wanted <= quota.submitGpus) return undefined;
    return (
      `总项目配额不足，运行配额 ${quota.runGpus} 卡，提交配额 ${quota.submitGpus} 卡，已提交 ${submitted} 卡，` +
      `本次申请 ${wanted} 卡，超出总提交配额限制，该任务提交失败`
    );
  }

  async function stop(job: Job): Promise<Result> {
    if (endedStatuses.has(job.status) || Date.now() - job.createdAt < settings.current.times.conflictMs) {
      return refuse('conflict', `Conflict: ${job.status} cannot be stopped`);
    }
    await scheduler.stop(job);
    return { data: {} };
  }

  async function remove(job: Job): Promise<Result> {
    if (!endedStatuses.has(job.status)) {
      return refuse('conflict', `Conflict: 当前状态（${job.status}）无法删除`);
    }
    scheduler.forget(job.id);
    await store.remove(job.id);
    return { data: {} };
  }

  function events(query: Values, raw: string): Result {
    const filter = isRecord(query['filter']) ? query['filter'] : {};
    const trouble = fieldTrouble(filter, { object_type: 'string', object_ids: 'texts' }, raw);
    if (trouble !== undefined) return refuse('parameter', trouble);
    const ids = (filter['object_ids'] ?? []) as readonly string[];
    if (filter['object_type'] === 'instance') return { data: { events: [], total: '0' } };
    if (filter['object_type'] !== 'job' || ids.length === 0) {
      return refuse('parameter', 'filter.object_type and filter.object_ids are required');
    }
    if (ids.length > mostEventObjects) {
      return refuse('parameter', `object_ids count exceeds limit ${mostEventObjects}`);
    }
    const jobs = ids.map((id) => store.jobs.get(id));
    if (jobs.includes(undefined)) return unknownJob;
    const { skewMs } = settings.current.clock;
    const now = Date.now();
    const all = jobs.flatMap((job) =>
      job === undefined ? [] : job.events.map((event) => presentEvent(job, event, now, skewMs)),
    );
    const size = Number(query['page_size'] ?? 100);
    const page = Number(query['PageNumber'] ?? 1);
    return { data: { events: all.slice((page - 1) * size, page * size), total: String(all.length) } };
  }

  return async (request) => {
    const { on, body, raw, surface } = request;
    if (on === 'create') return create(request);
    if (!isRecord(body)) return refuse('body', '参数校验错误');
    const fields = fieldsOf[on];
    const query = surface === 'v2' ? canonicalNames(body, fields) : body;
    const trouble = fieldTrouble(query, fields, raw);
    if (trouble !== undefined) return refuse('parameter', trouble);
    if (on === 'list') {
      const { clock, v2 } = settings.current;
      return listJobs(store.jobs, query, { skewMs: clock.skewMs, totalAs: v2.totalAs });
    }
    if (on === 'events') return events(query, raw);
    const job = store.jobs.get(String(query['job_id']));
    if (job === undefined) return unknownJob;
    switch (on) {
      case 'detail':
        return { data: present(job) };
      case 'stop':
        return stop(job);
      case 'delete':
        return remove(job);
      case 'instances': {
        const items = presentInstances(job, Date.now(), settings.current.clock.skewMs);
        return { data: { items, total: items.length } };
      }
    }
  };
}

function newJob(request: CreateBody, gpusPerNode: number, { dry, stuck }: Pick<Job, 'dry' | 'stuck'>): Job {
  const now = Date.now();
  return {
    id: `job-${randomUUID()}`,
    request,
    command: request.command,
    nodes: request.framework_config[0].instance_count,
    gpusPerNode,
    status: 'job_creating',
    reason: '',
    createdAt: now,
    preparedAt: null,
    runAt: null,
    finishedAt: null,
    stopAt: null,
    since: now,
    round: 1,
    starts: 0,
    leaving: null,
    termAt: null,
    endsAs: null,
    dry,
    stuck,
    events: [],
    script: null,
    shown: null,
  };
}
