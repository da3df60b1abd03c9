import { createGithubActivities } from '../activities/github/create-github-activities.ts';
import { createConversationActivities } from '../activities/github/create-conversation-activities.ts';
import { createJanitorActivities } from '../activities/janitor/create-janitor-activities.ts';
import { createQizhiActivities } from '../activities/qizhi/create-qizhi-activities.ts';
import { drawCurves } from '../infra/charts/draw-curves.ts';
import { section } from '../infra/config/config.ts';
import { createGithubClient } from '../infra/github/create-github-client.ts';
import { createLog } from '../infra/log.ts';
import { createQizhiClient } from '../infra/qizhi/client.ts';
import type { QueueActivities, ZoneContext } from './zone.ts';

/** The cloud: GitHub and the Qizhi API, no shared disk. */
export function controlZone({ config }: ZoneContext): QueueActivities[] {
  const settings = section(config, 'qizhi');
  // One client for everything that asks the platform: it holds one token, and one limit of requests.
  const qizhi = createQizhiClient(settings, { log: createLog(config.logLevel) });
  const github = createGithubClient(section(config, 'github'));
  return [
    {
      queue: 'github',
      activities: {
        ...createGithubActivities({ github, draw: drawCurves }),
        ...createConversationActivities({ github }),
      },
      // GitHub's secondary limits: writes one after another would be best, a few at a time are borne.
      concurrency: 4,
    },
    {
      queue: 'qizhi',
      activities: {
        ...createQizhiActivities({ qizhi, requestsPerSecond: settings.requestsPerSecond }),
        ...createJanitorActivities({ qizhi }),
      },
      // One slow answer must not hold up the others; how many are sent a second is limited by the client.
      concurrency: 3,
      // The platform's gateway answers 429 to about three requests a second, from whichever worker they come.
      activitiesPerSecond: settings.requestsPerSecond,
    },
  ];
}
