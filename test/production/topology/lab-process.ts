/**
 * The outside world in a process of its own, so that its cluster's jobs run as the user to whom the shared disk belongs. The
 * first message tells where; its answer is where everything is. It ends when its parent goes.
 */
import { getOneMessage, sendMessage } from 'execa';

import { processEnvironment } from '../../../infra/env.ts';
import { toolEnvironment } from '../../../infra/tools/tool-environment.ts';
import { startSeededLab, type LabPlace, type SeededLab } from './lab-world.ts';

const place = (await getOneMessage()) as LabPlace;
const { github, qizhi, models, settings } = await startSeededLab(
  place,
  toolEnvironment(processEnvironment()),
);
await sendMessage({
  settings,
  github: { url: github.url },
  qizhi: { url: qizhi.url },
  models: { url: models.url },
} satisfies SeededLab);
