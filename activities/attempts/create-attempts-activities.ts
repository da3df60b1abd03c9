import { activityInfo, heartbeat } from '@temporalio/activity';

import { attemptKey } from '../../domain/ids.ts';
import { Failure } from '../../infra/failure.ts';
import { guardActivities } from '../boundary.ts';
import { attemptDir } from './attempt-paths.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { AttemptsActivities, JobKey, PreparedJob } from './interface.ts';
import { createLookPace } from './look-pace.ts';
import { lookAtRecords, readLogTail, type Look } from './read-records.ts';
import { writeStopRequest } from './request-stop.ts';
import { revokeClaim } from './revoke-attempt.ts';
import { isMissing, requireFolder } from './shared-disk.ts';
import { canBeSilent, isSilent, measureStillness } from './silence.ts';
import { writeAttemptFiles, type WriteAttemptDependencies } from './write-attempt.ts';

export type AttemptsActivitiesDependencies = WriteAttemptDependencies;

/** The activities of the queue `networked` that are about an attempt's files on the shared disk. */
export function createAttemptsActivities(dependencies: AttemptsActivitiesDependencies): AttemptsActivities {
  const { disk } = dependencies;
  const pace = createLookPace();

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

  /** Only where the folder itself is not there is more than one listing needed, to say what is missing. */
  async function lookAt(key: JobKey): Promise<{ readonly look: Look; readonly folder: string }> {
    const folder = attemptDir(disk.sharedDir, key);
    try {
      return { look: await lookAtRecords(folder), folder };
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    await existingFolder(key);
    return { look: await lookAtRecords(folder), folder };
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

    requestStop: async (key) => writeStopRequest(await existingFolder(key)),

    async awaitRecordsChange({ since, pollSeconds, ...key }) {
      const { look, folder } = await lookAt(key);
      const info = activityInfo();
      const stillness = measureStillness(info.heartbeatDetails, look, Date.now());
      // Survives this try and the worker: the next try goes on from here.
      heartbeat(stillness);
      const silentAsBefore = canBeSilent(look) && since === fingerprintOf(look, true);
      const silent = silentAsBefore || isSilent(look, stillness);
      const fingerprint = fingerprintOf(look, silent);
      const who = attemptKey(key.experimentId, key.attempt, key.seed);
      if (fingerprint === since) {
        // Both by the server's clock; a change would have ended this activity.
        const unchangedMs = info.currentAttemptScheduledTimestampMs - info.scheduledTimestampMs;
        throw new Failure('RecordsUnchanged', `nothing new from the job of seed ${key.seed}`, {
          retryAfterMs: pace.delayMs(who, pollSeconds * 1000, unchangedMs),
        });
      }
      pace.forget(who);
      return { records: { ...look, silent, logTail: await readLogTail(folder) }, fingerprint };
    },
  });
}
