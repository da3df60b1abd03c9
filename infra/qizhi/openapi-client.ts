import type { Conversation } from './conversation.ts';
import { JobDetail, toPlatformJob, type PlatformJob } from './job-detail.ts';
import { unavailable } from './conversation.ts';
import type { QizhiClient } from './client.ts';

export const openapiPaths = {
  create: '/openapi/v1/train_job/create',
  detail: '/openapi/v1/train_job/detail',
  stop: '/openapi/v1/train_job/stop',
} as const;

/** The platform's OpenAPI: create, detail and stop, and nothing else. */
export function createOpenapiClient(conversation: Conversation): QizhiClient {
  return {
    createJob: (body) => conversation.create(body),
    getJob: (jobId) => readJob(conversation, jobId),
    stopJob: (jobId) => askToStop(conversation, jobId),
    findJob: () => Promise.resolve({ status: 'no-list' }),
    explainJob: () => Promise.resolve(null),
  };
}

/** Shared by both surfaces: they answer with the same job. */
export async function readJob(conversation: Conversation, jobId: string): Promise<PlatformJob> {
  const data = await conversation.ask('detail', { job_id: jobId }, { name: jobId, jobId });
  const parsed = JobDetail.safeParse(data);
  if (!parsed.success) throw unavailable(`its answer about ${jobId} lacks job_id or status`);
  if (parsed.data.job_id !== jobId) {
    throw unavailable(`it was asked about ${jobId} and answered about ${parsed.data.job_id}`);
  }
  return toPlatformJob(parsed.data, Date.now());
}

export async function askToStop(conversation: Conversation, jobId: string): Promise<void> {
  await conversation.ask('stop', { job_id: jobId }, { name: jobId, jobId });
}
