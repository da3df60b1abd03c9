import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import { jobName } from '../../../domain/ids.ts';
import { unlessMissing } from '../../../infra/unless-missing.ts';
import type { BenchWorld } from './bench-world.ts';
import type { ExperimentPlan } from './experiment-plan.ts';
import { pause } from '../../../infra/pause.ts';

export interface Doubler {
  /** How many create requests were delivered a second time. */
  readonly doubled: () => number;
  stop(): Promise<void>;
}

const lookMs = 1000;
const seed = 0;

/**
 * Delivers the create request of some first jobs once more, as a network may, when the first job has claimed the attempt:
 * the second one must leave without training.
 */
export function startDoubler(world: BenchWorld, plans: readonly ExperimentPlan[]): Doubler {
  const stopping = new AbortController();
  const open = new Set(plans.filter(({ doubled }) => doubled).map(({ id }) => id));
  let doubled = 0;

  async function lookAround(): Promise<void> {
    for (const id of open) {
      const folder = join(world.sharedDir, 'experiments', id, 'attempts', '1', String(seed));
      if ((await unlessMissing(stat(join(folder, 'claim', 'job_id')))) === undefined) continue;
      const job = (await world.lab.jobs()).find(({ request }) => request.name === jobName(id, 1, seed));
      // The claim may have been taken back because no job was made.
      if (job !== undefined && !(await world.lab.createAgain(job))) continue;
      if (job !== undefined) doubled += 1;
      open.delete(id);
    }
  }

  const looking = (async () => {
    while (!stopping.signal.aborted) {
      await lookAround();
      await pause(lookMs, stopping.signal);
    }
  })();
  return {
    doubled: () => doubled,
    stop: async () => {
      stopping.abort();
      await looking;
    },
  };
}
