import { join } from 'node:path';

import { createNotesActivities } from '../activities/notes/create-notes-activities.ts';
import { createPlanningActivities } from '../activities/planning/create-planning-activities.ts';
import { section } from '../infra/config/config.ts';
import type { QueueActivities, ZoneContext } from './zone.ts';

/** The PI's machine: models and the vault. */
export function localZone({ config, tools, environment }: ZoneContext): QueueActivities[] {
  const vault = section(config, 'vault');
  const gemini = section(config, 'gemini');
  const limits = section(config, 'agents');
  const scratchDir = join(config.home, 'agents');
  return [
    {
      queue: 'planning',
      activities: {
        ...createPlanningActivities({
          vault,
          resourcesFile: section(config, 'resources').file,
          gemini,
          limits,
          tools,
          scratchDir,
          environment,
        }),
        ...createNotesActivities({ vault, gemini, limits, tools, scratchDir, environment }),
      },
      // An agent takes about a quarter of a gigabyte.
      concurrency: 4,
    },
  ];
}
