import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import writeFileAtomic from 'write-file-atomic';

import { Job } from './job.ts';

/** The jobs, each in a folder of its own; what was saved is found again by the next start on the same folder. */
export interface JobStore {
  readonly jobs: ReadonlyMap<string, Job>;
  folder(id: string): string;
  save(job: Job): Promise<void>;
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
      await mkdir(folder(job.id), { recursive: true });
      await writeFileAtomic(join(folder(job.id), 'job.json'), `${JSON.stringify(job, null, 2)}\n`);
      jobs.set(job.id, job);
    },
  };
}

/** Undefined for a folder whose job was never saved: its create was never answered. */
async function readJob(path: string): Promise<Job | undefined> {
  try {
    return Job.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
