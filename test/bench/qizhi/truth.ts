import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { jobName } from '../../../domain/ids.ts';
import { unlessMissing } from '../../../infra/unless-missing.ts';
import { trainingsFile } from './experiment-plan.ts';
import type { LabJob } from './lab-client.ts';

/** What really happened for one attempt of one seed: on the platform, and in its folder. */
export interface AttemptTruth {
  readonly attempt: number;
  readonly seed: number;
  /** Every job that the platform made for it, the second deliveries included. */
  readonly jobs: readonly LabJob[];
  /** Job ids, once for each time that the training command began and came to its last line. */
  readonly begun: readonly string[];
  readonly done: readonly string[];
  /** Jobs that left because another had the claim. */
  readonly turnedAway: readonly string[];
}

/** Reads the truth of one experiment; its attempts are those that have a folder. */
export async function readTruth(
  sharedDir: string,
  experimentId: string,
  jobsByName: ReadonlyMap<string, readonly LabJob[]>,
): Promise<readonly AttemptTruth[]> {
  const folder = join(sharedDir, 'experiments', experimentId);
  const trainings = await readTrainings(join(folder, 'source', trainingsFile));
  const truths: AttemptTruth[] = [];
  for (const attempt of await numbersIn(join(folder, 'attempts'))) {
    for (const seed of await numbersIn(join(folder, 'attempts', String(attempt)))) {
      const own = trainings.filter((line) => line.attempt === attempt && line.seed === seed);
      const duplicates = join(folder, 'attempts', String(attempt), String(seed), 'duplicates');
      truths.push({
        attempt,
        seed,
        jobs: jobsByName.get(jobName(experimentId, attempt, seed)) ?? [],
        begun: own.filter(({ word }) => word === 'begun').map(({ jobId }) => jobId),
        done: own.filter(({ word }) => word === 'done').map(({ jobId }) => jobId),
        turnedAway: ((await unlessMissing(readdir(duplicates))) ?? []).filter((name) =>
          name.endsWith('.json'),
        ),
      });
    }
  }
  return truths;
}

export function byName(jobs: readonly LabJob[]): Map<string, LabJob[]> {
  return Map.groupBy(jobs, ({ request }) => request.name);
}

async function numbersIn(folder: string): Promise<number[]> {
  const names = (await unlessMissing(readdir(folder))) ?? [];
  return names
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .toSorted((a, b) => a - b);
}

async function readTrainings(path: string) {
  const text = (await unlessMissing(readFile(path, 'utf8'))) ?? '';
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [word, attempt, seed, jobId] = line.split(' ');
      return { word, attempt: Number(attempt), seed: Number(seed), jobId: jobId ?? '' };
    });
}
