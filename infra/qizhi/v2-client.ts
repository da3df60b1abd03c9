import { z } from 'zod';

import type { ListedSubmission } from '../../domain/job.ts';
import { Failure } from '../failure.ts';
import type { QizhiClient } from './client.ts';
import { unavailable, type Conversation } from './conversation.ts';
import { looseNumber } from './job-detail.ts';
import { explain, JobEvents, type Explanation } from './job-events.ts';
import { askToStop, readJob } from './openapi-client.ts';

const action = (name: string): string => `/api/v2/train?Action=${name}`;

export const v2Paths = {
  create: action('CreateJob'),
  detail: action('GetJob'),
  stop: action('StopJob'),
  list: action('ListJobs'),
  events: action('ListJobEvents'),
} as const;

const Row = z.object({ job_id: z.string(), name: z.string(), created_at: looseNumber });
const Page = z.object({ jobs: z.array(Row), total: looseNumber });

/** Larger pages are refused by one of the platform's gates. */
const pageSize = 100;
const mostPages = 20;

/** The platform's newer surface, which can list jobs and tell their events as well. */
export function createV2Client(conversation: Conversation): QizhiClient {
  return {
    createJob: (body) => conversation.create(body),
    getJob: (jobId) => readJob(conversation, jobId),
    stopJob: (jobId) => askToStop(conversation, jobId),
    findJob: ({ name, workspaceId }) => findInList(conversation, name, workspaceId),
    explainJob: (jobId) => readEvents(conversation, jobId),
  };
}

/** A keyword finds parts of names too, and names repeat: only the whole name counts, and the newest of several. */
async function findInList(
  conversation: Conversation,
  name: string,
  workspaceId: string,
): Promise<ListedSubmission> {
  for (let number = 1; number <= mostPages; number += 1) {
    const page = await unlessRefused(readPage(conversation, name, workspaceId, number));
    if (page === null) return { status: 'no-list' };
    const found = page.jobs
      .filter((job) => job.name === name)
      .toSorted((one, other) => (other.created_at ?? 0) - (one.created_at ?? 0))[0];
    if (found !== undefined) return { status: 'found', jobId: found.job_id };
    const isLast = page.jobs.length < pageSize || number * pageSize >= (page.total ?? Infinity);
    if (isLast) return { status: 'absent' };
  }
  throw unavailable(`its list of jobs like ${name} does not end after ${mostPages} pages of ${pageSize}`);
}

async function readPage(conversation: Conversation, name: string, workspaceId: string, number: number) {
  const body = {
    workspace_id: workspaceId,
    keyword: name,
    PageNumber: number,
    page_size: pageSize,
    sorters: [{ field: 'created_at', sort: 'descend' }],
  };
  const page = Page.safeParse(await conversation.ask('list', body, { name }));
  if (!page.success) throw unavailable(`its list of jobs like ${name} lacks jobs with job_id and name`);
  return page.data;
}

/** Which end of the list is the newest is not told, so that of a long one both ends are read. */
async function readEvents(conversation: Conversation, jobId: string): Promise<Explanation | null> {
  const readSome = async (number: number) => {
    const body = {
      filter: { object_type: 'job', object_ids: [jobId] },
      PageNumber: number,
      page_size: pageSize,
    };
    const data = await unlessRefused(conversation.ask('events', body, { name: jobId, jobId }));
    if (data === null) return null;
    const events = JobEvents.safeParse(data);
    if (!events.success) throw unavailable(`its events of ${jobId} are not a list`);
    return events.data;
  };
  const first = await readSome(1);
  if (first === null) return null;
  const pages = Math.ceil((first.total ?? 0) / pageSize);
  const last = pages > 1 ? await readSome(pages) : null;
  return explain([...first.events, ...(last?.events ?? [])]);
}

/** Lists are a help where they can be had: one that is refused, or that this platform does not have, is done without. */
async function unlessRefused<T>(list: Promise<T>): Promise<T | null> {
  try {
    return await list;
  } catch (error) {
    if (error instanceof Failure && refusedLists.has(error.type)) return null;
    throw error;
  }
}

const refusedLists = new Set<Failure['type']>(['QizhiInvalid', 'QizhiForbidden']);
