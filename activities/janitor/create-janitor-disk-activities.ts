import { heartbeat } from '@temporalio/activity';

import type { SharedDiskSettings } from '../../infra/settings.ts';
import { inChunks, listAttempts } from '../attempts/list-attempts.ts';
import { requireFolder } from '../attempts/shared-disk.ts';
import { guardActivities } from '../boundary.ts';
import { writeRecords } from './decision-record.ts';
import type { JanitorDiskActivities } from './interface.ts';
import { lookAtAttempt, lookAtOpenAttempt } from './look-at-attempt.ts';

export interface JanitorDiskDependencies {
  readonly disk: SharedDiskSettings;
}

/** The activities of the queue `networked` by which the janitor sees and marks attempts on the shared disk. */
export function createJanitorDiskActivities({
  disk: { sharedDir },
}: JanitorDiskDependencies): JanitorDiskActivities {
  return guardActivities<JanitorDiskActivities>({
    listOpenAttempts: ({ after, limit }) =>
      listAttempts({
        sharedDir,
        after,
        limit,
        look: async (key, folder) => {
          const sight = await lookAtOpenAttempt(key, folder);
          return sight.status === 'open' ? sight : null;
        },
        onProgress: (experimentId) => heartbeat({ experimentId }),
      }),

    async lookAtAttempts(input) {
      await requireFolder(sharedDir, 'The shared disk', 'Mount it, or correct HEPHAESTUS_SHARED_DIR.');
      return inChunks(input, async (key) => lookAtAttempt(sharedDir, key));
    },

    recordDecisions: (input) => writeRecords(sharedDir, input),
  });
}
