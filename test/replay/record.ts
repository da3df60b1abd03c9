/**
 * Records the histories of every workflow on a real Temporal server with scripted activities: `npm run record [-- <name> …]`.
 * The merged experiment is recorded from the demo itself: `npm run demo -- --record test/replay/histories`.
 * Record only for a new shape: a history that no longer replays means that running experiments would break.
 */
import { join } from 'node:path';

import { processEnvironment } from '../../infra/env.ts';
import { saveHistories } from '../../infra/temporal/save-histories.ts';
import { ensureTools } from '../../infra/tools/ensure-tools.ts';
import { startExperiment, startTemporalEnvironment, withWorld } from '../support/temporal-environment.ts';
import { experimentShapes, type ExperimentShape } from './experiment-shapes.ts';
import { otherRecordings, type Recording } from './other-recordings.ts';

const recordings: Readonly<Record<string, Recording>> = {
  ...Object.fromEntries(Object.entries(experimentShapes).map(([name, shape]) => [name, recording(shape)])),
  ...otherRecordings,
};
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in recordings));
if (unknown.length > 0) {
  throw new Error(`${unknown.join(', ')}: expected some of ${Object.keys(recordings).join(', ')}`);
}
const root = join(import.meta.dirname, '..', '..');
const tools = await ensureTools({
  root: join(root, '.tools'),
  which: ['temporal'],
  environment: processEnvironment(),
});
const temporal = await startTemporalEnvironment(tools.temporal);
for (const name of asked.length > 0 ? asked : Object.keys(recordings)) {
  const workflowId = await recordings[name]?.(temporal);
  if (workflowId === undefined) continue;
  const directory = join(import.meta.dirname, 'histories');
  console.log(await saveHistories(temporal.client, workflowId, directory, name));
}
await temporal.close();

function recording(shape: ExperimentShape): Recording {
  return async (environment) => {
    const world = shape.world();
    return withWorld(environment, world, async () => {
      const handle = await startExperiment(environment.client, shape);
      await shape.act(handle, world);
      await handle.result().catch((error: unknown) => console.log(String(error)));
      return handle.workflowId;
    });
  };
}
