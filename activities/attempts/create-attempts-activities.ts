import { createHash } from 'node:crypto';

import { heartbeat } from '@temporalio/activity';

import type { JobRecords } from '../../domain/job.ts';
import { Failure } from '../../infra/failure.ts';
import { guardActivities } from '../boundary.ts';
import { attemptDir } from './attempt-paths.ts';
import type { AttemptsActivities, JobKey, PreparedJob } from './interface.ts';
import { readRecords } from './read-records.ts';
import { revokeClaim } from './revoke-attempt.ts';
import { requireFolder } from './shared-disk.ts';
import { writeAttemptFiles, type WriteAttemptDependencies } from './write-attempt.ts';

export type AttemptsActivitiesDependencies = WriteAttemptDependencies;

/** The activities of the queue `networked` that are about an attempt's files on the shared disk. */
export function createAttemptsActivities(dependencies: AttemptsActivitiesDependencies): AttemptsActivities {
  const { disk } = dependencies;

  async function existingFolder(key: JobKey): Promise<string> {
    const folder = attemptDir(disk.sharedDir, key);
    await requireFolder(disk.sharedDir, 'The shared disk', 'Mount it, or correct HEPHAESTUS_SHARED_DIR.');
    await requireFolder(
      folder,
      "The attempt's folder",
      'It was there when the job was submitted: was it deleted?',
    );
    return folder;
  }

  return guardActivities<AttemptsActivities>({
    async writeAttempt(input) {
      const prepared: PreparedJob[] = [];
      for (const run of input.runs) {
        heartbeat({ seed: run.seed });
        prepared.push(await writeAttemptFiles(dependencies, input, run));
      }
      return prepared;
    },

    revokeAttempt: async (key) => revokeClaim(await existingFolder(key)),

    async awaitRecordsChange({ since, pollSeconds, ...key }) {
      const records = await readRecords(await existingFolder(key));
      const fingerprint = fingerprintOf(records);
      if (fingerprint === since) {
        throw new Failure('RecordsUnchanged', `nothing new from the job of seed ${key.seed}`, {
          retryAfterMs: Math.round(pollSeconds * 1000 * (0.9 + Math.random() * 0.2)),
        });
      }
      return { records, fingerprint };
    },
  });
}

/** A heartbeat and a growing log are life, not news. */
function fingerprintOf({ claim, exit, duplicates }: JobRecords): string {
  return createHash('sha256')
    .update(JSON.stringify([claim, exit, duplicates]))
    .digest('hex')
    .slice(0, 16);
}
