import { join } from 'node:path';

import { createAttemptsActivities } from '../activities/attempts/create-attempts-activities.ts';
import { createCodingActivities } from '../activities/coding/create-coding-activities.ts';
import { createEnvironmentActivities } from '../activities/environment/create-environment-activities.ts';
import { createJanitorDiskActivities } from '../activities/janitor/create-janitor-disk-activities.ts';
import { createWandbActivities } from '../activities/wandb/create-wandb-activities.ts';
import { section } from '../infra/config/config.ts';
import { childEnvironment, toolEnvironment } from '../infra/tools/tool-environment.ts';
import { createWandbClient } from '../infra/wandb/create-wandb-client.ts';
import type { QueueActivities, ZoneContext } from './zone.ts';

/** 可上网区: the Internet and the shared disk; the only zone that touches the disk and the only one that talks to W&B. */
export function networkedZone({ config, tools, environment }: ZoneContext): QueueActivities[] {
  const disk = section(config, 'sharedDisk');
  const wandb = section(config, 'wandb');
  const sync = section(config, 'sync');
  return [
    {
      queue: 'networked',
      activities: {
        ...createCodingActivities({
          disk,
          git: section(config, 'git'),
          qwen: section(config, 'qwen'),
          limits: section(config, 'agents'),
          mcp: section(config, 'mcp'),
          tools,
          scratchDir: join(config.home, 'agents'),
          environment,
        }),
        ...createEnvironmentActivities({
          disk,
          uv: tools.uv,
          python: tools.python,
          environment: { ...toolEnvironment(environment), ...section(config, 'builderEnvironment') },
        }),
        ...createAttemptsActivities({ disk, wandb }),
        ...createJanitorDiskActivities({ disk }),
      },
      // Mostly short looks at the disk; builds and agents wait for each other by locks of their own.
      concurrency: 20,
    },
    {
      queue: 'wandb',
      activities: createWandbActivities({
        disk,
        wandb: createWandbClient(wandb),
        settings: wandb,
        syncCommand: [tools.wandb, 'sync'],
        environment: childEnvironment(environment),
        indexDir: join(config.home, 'wandb-index'),
        parallel: sync.parallel,
      }),
      // Looks of mirrors are short, and must not wait behind uploads; clients are limited by the setting.
      concurrency: 40,
    },
  ];
}
