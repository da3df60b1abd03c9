import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import writeFileAtomic from 'write-file-atomic';

import { unlessMissing } from '../../unless-missing.ts';
import { Job } from './job.ts';

/** The jobs, each in a folder of its own; what was saved is found again by the next start on the same folder. */
export interface JobStore {
  readonly jobs: ReadonlyMap<string, Job>;
  folder(id: string): string;
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
  /** The last work on each job's folder that has not ended; the next one waits for it. */
  const atWork = new Map<string, Promise<void>>();

  async function next(id: string, work: () => Promise<void>): Promise<void> {
    const before = atWork.get(id);
    const mine = Promise.allSettled([before]).then(work);
    atWork.set(id, mine);
    try {
      await mine;
    } finally {
      if (atWork.get(id) === mine) atWork.delete(id);
    }
  }

  async function write(job: Job): Promise<void> {
    if (!jobs.has(job.id)) await mkdir(folder(job.id), { recursive: true });
    const path = join(folder(job.id), 'job.json');
    // A power cut may take it: a stand-in has to outlive processes, not machines, and thousands of jobs.
    await writeFileAtomic(path, `${JSON.stringify(job, null, 2)}\n`, { fsync: false });
    jobs.set(job.id, job);
  }

  return {
    jobs,
    folder,
    save: (job) => next(job.id, () => write(job)),
    remove: (id) =>
      next(id, async () => {
        jobs.delete(id);
        await rm(folder(id), { recursive: true, force: true });
      }),
  };
}

/** Undefined for a folder whose job was never saved: its create was never answered. */
async function readJob(path: string): Promise<Job | undefined> {
  const text = await unlessMissing(readFile(path, 'utf8'));
  return text === undefined ? undefined : Job.parse(JSON.parse(text));
}
