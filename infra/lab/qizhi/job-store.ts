import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import writeFileAtomic from 'write-file-atomic';

import { unlessMissing } from '../../unless-missing.ts';
import { Job } from './job.ts';

/** The jobs, each in a folder of its own; what was saved is found again by the next start on the same folder. */
export interface JobStore {
  readonly jobs: ReadonlyMap<string, Job>;
  folder(id: string): string;
  /** Calls for one job are to follow each other. */
  save(job: Job): Promise<void>;
  remove(id: string): Promise<void>;
}

export async function openJobStore(directory: string): Promise<JobStore> {
  const root = join(directory, 'jobs');
  await mkdir(root, { recursive: true });
  const jobs = new Map<string, Job>();
  const folder = (id: string) => join(root, id);
  for (const id of await readdir(root)) {
    const job = await readJob(join(folder(id), 'job.json'));
    if (job !== undefined) jobs.set(id, job);
  }
  return {
    jobs,
    folder,
    async save(job) {
      if (!jobs.has(job.id)) await mkdir(folder(job.id), { recursive: true });
      // A power cut may take it: a stand-in has to outlive processes, not machines, and thousands of jobs.
      await writeFileAtomic(join(folder(job.id), 'job.json'), `${JSON.stringify(job, null, 2)}\n`, {
        fsync: false,
      });
      jobs.set(job.id, job);
    },
    async remove(id) {
      jobs.delete(id);
      await rm(folder(id), { recursive: true, force: true });
    },
  };
}

/** Undefined for a folder whose job was never saved: its create was never answered. */
async function readJob(path: string): Promise<Job | undefined> {
  const text = await unlessMissing(readFile(path, 'utf8'));
  return text === undefined ? undefined : Job.parse(JSON.parse(text));
}
