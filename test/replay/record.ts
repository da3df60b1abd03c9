/**
 * Records the histories of experiments that did not end in a merge, on a real Temporal server with scripted activities:
 * `node test/replay/record.ts`. The merged one is recorded from the demo itself: `npm run demo -- --record test/replay/histories`.
 * Record only for a new shape of experiment: a history that no longer replays means that running experiments would break.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import type { ExperimentStatus } from '../../domain/experiment.ts';
import { decisionSignals } from '../../workflows/contract.ts';
import { ensureTools } from '../../infra/tools/ensure-tools.ts';
import { processEnvironment } from '../../infra/env.ts';
import { saveHistories } from '../../infra/temporal/save-histories.ts';
import {
  emptyRecords,
  exited,
  observation,
  scriptedWorld,
  trained,
  type ScriptedWorld,
} from '../support/scripted-activities.ts';
import {
  startExperiment,
  startTemporalEnvironment,
  statusOf,
  withWorld,
} from '../support/temporal-environment.ts';

type Handle = Awaited<ReturnType<typeof startExperiment>>;

const root = join(import.meta.dirname, '..', '..');
const directory = join(import.meta.dirname, 'histories');

/** Long enough for any of these; a shape that does not come is an error and no endless wait. */
const patience = 60_000;

/** Until the experiment waits for its `attempt`-th decision. */
async function untilDeciding(handle: Handle, attempt: number): Promise<void> {
  await until(handle, ({ phase, attempts }) => phase === 'deciding' && attempts.length === attempt);
}

async function until(handle: Handle, reached: (status: ExperimentStatus) => boolean): Promise<void> {
  const limit = Date.now() + patience;
  while (!reached(await statusOf(handle))) {
    if (Date.now() > limit) throw new Error(`${handle.workflowId} did not come that far`);
    await delay(200);
  }
}

/** Each shape: its world, and what is said to the experiment until it ends. */
const shapes: Record<string, { world: () => ScriptedWorld; act: (handle: Handle) => Promise<void> }> = {
  rejected: {
    world: () => scriptedWorld(),
    act: async (handle) => {
      await untilDeciding(handle, 1);
      await handle.signal(decisionSignals.merge, { by: 'pi', head: '0'.repeat(40) });
      await handle.signal(decisionSignals.revise, { by: 'pi', instructions: 'a longer warm-up' });
      await untilDeciding(handle, 2);
      await handle.signal(decisionSignals.rerun, { by: 'pi', seeds: [3, 4] });
      await untilDeciding(handle, 3);
      await handle.signal(decisionSignals.reject, { by: 'pi', reason: 'inside noise' });
    },
  },
  stopped: {
    world: () => {
      const world = scriptedWorld();
      world.jobs.set(0, { observation: observation(), records: emptyRecords });
      return world;
    },
    act: async (handle) => {
      await until(handle, ({ phase }) => phase === 'training');
      await handle.signal(decisionSignals.stop, { by: 'pi' });
    },
  },
  failed: {
    world: () => {
      const world = scriptedWorld();
      const { records } = trained(0);
      world.jobs.set(0, {
        observation: observation({ state: 'failed' }),
        records: { ...records, exit: exited(1) },
      });
      return world;
    },
    act: async () => undefined,
  },
};

const tools = await ensureTools({
  root: join(root, '.tools'),
  which: ['temporal'],
  environment: processEnvironment(),
});
const temporal = await startTemporalEnvironment(tools.temporal);
for (const [name, { world, act }] of Object.entries(shapes)) {
  await withWorld(temporal, world(), async () => {
    const handle = await startExperiment(temporal.client);
    await act(handle);
    await handle.result().catch((error: unknown) => console.log(`${name}: ${String(error)}`));
    console.log(await saveHistories(temporal.client, handle.workflowId, directory, name));
  });
}
await temporal.close();
