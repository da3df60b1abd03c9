import { refuse, type Result } from './answers.ts';
import { gpusOf, told, type Job } from './job.ts';
import { presentJob } from './present-job.ts';
import { fieldTrouble, listOf, type Fields, type Values } from './request-fields.ts';

export const listFields: Fields = {
  keyword: 'string',
  framework: 'string',
  status: 'string',
  status_list: 'texts',
  created_by: 'string',
  node: 'string',
  node_id: 'string',
  workspace_id: 'string',
  project_ids: 'texts',
  owner_project_ids: 'texts',
  job_ids: 'texts',
  created_at_begin: 'int64',
  created_at_end: 'int64',
  sorters: 'list',
  PageNumber: 'int',
  page_size: 'int',
};

export interface ListOptions {
  readonly skewMs: number;
  readonly totalAs: 'string' | 'number';
}

const largestPage = 100;
const largestIds = 20;

/** Answers `ListJobs`: one page of the jobs that fit, the newest first unless it is told otherwise. Unknown ids are dropped. */
export function listJobs(
  jobs: ReadonlyMap<string, Job>,
  query: Values,
  { skewMs, totalAs }: ListOptions,
): Result {
  const pageSize = Number(query['page_size'] ?? 10);
  const pageNumber = Number(query['PageNumber'] ?? 1);
  if (pageSize > largestPage) return refuse('parameter', 'page or page_size too large');
  if (pageSize < 1 || pageNumber < 1) return refuse('parameter', 'page or page_size invalid');
  const ids = textsOf(query['job_ids']);
  if (ids.length > largestIds) return refuse('parameter', `job_ids count exceeds limit ${largestIds}`);
  const sorters = listOf(query['sorters']);
  for (const sorter of sorters) {
    const trouble = fieldTrouble(sorter, { field: 'string', sort: 'string' }, '');
    if (trouble !== undefined) return refuse('parameter', trouble);
    if (!Object.hasOwn(sortValues, String(sorter['field']))) {
      return refuse('parameter', `unknown sorter field "${String(sorter['field'])}"`);
    }
  }
  const from = ids.length > 0 ? ids.flatMap((id) => jobs.get(id) ?? []) : [...jobs.values()];
  const found = from.filter((job) => fits(job, query, skewMs)).toSorted(order(sorters));
  const page = found.slice((pageNumber - 1) * pageSize, pageNumber * pageSize);
  const now = Date.now();
  return {
    data: {
      jobs: page.map((job) => presentJob(job, now, skewMs)),
      total: totalAs === 'string' ? String(found.length) : found.length,
    },
  };
}

function fits(job: Job, query: Values, skewMs: number): boolean {
  const text = (name: string) => (typeof query[name] === 'string' ? query[name] : '');
  const same = (name: string) => text(name) === '' || text(name) === job.request[name];
  const statuses = [...textsOf(query['status_list']), text('status')].filter((status) => status !== '');
  const projects = [...textsOf(query['project_ids']), ...textsOf(query['owner_project_ids'])];
  const createdAt = job.createdAt + skewMs;
  return (
    `${String(job.request['name'])} ${job.id}`.includes(text('keyword')) &&
    same('framework') &&
    same('workspace_id') &&
    (statuses.length === 0 || statuses.includes(told(job).status)) &&
    (projects.length === 0 || projects.includes(String(job.request['project_id']))) &&
    createdAt >= Number(query['created_at_begin'] ?? 0) &&
    createdAt <= Number(query['created_at_end'] ?? Infinity)
  );
}

const sortValues: Readonly<Record<string, (job: Job) => number>> = {
  created_at: (job) => job.createdAt,
  finished_at: (job) => job.finishedAt ?? 0,
  running_time_ms: (job) => (job.runAt === null ? 0 : (job.finishedAt ?? Date.now()) - job.runAt),
  gpu_count: gpusOf,
  node_count: (job) => job.nodes,
};

function order(sorters: readonly Values[]): (a: Job, b: Job) => number {
  const rules = sorters.length > 0 ? sorters : [{ field: 'created_at', sort: 'descend' }];
  return (a, b) => {
    for (const { field, sort } of rules) {
      const value = sortValues[String(field)];
      const difference = value === undefined ? 0 : value(a) - value(b);
      if (difference !== 0) return sort === 'descend' ? -difference : difference;
    }
    return 0;
  };
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
