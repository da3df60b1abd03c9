import { heartbeat } from '@temporalio/activity';

import { guardActivities } from '../boundary.ts';
import type { WandbActivities } from './interface.ts';
import { readExperimentResults } from './read-experiment-results.ts';
import { awaitLiveResults } from './await-live-results.ts';
import { syncExperimentRun } from './sync-experiment-run.ts';
import type { WandbDeps } from './wandb-deps.ts';

const beatMs = 5_000;

/** The activities of queue `wandb`: the only part that talks to W&B. */
export function createWandbActivities(deps: WandbDeps): WandbActivities {
  return guardActivities<WandbActivities>({
    syncRun: (input) => whileBeating(() => syncExperimentRun(deps, input)),
    readResults: (input) => whileBeating(() => readExperimentResults(deps, input)),
    awaitLiveResults: (input) => whileBeating(() => awaitLiveResults(deps, input)),
  });
}

/** A heartbeat is also how an activity hears that it was cancelled. */
async function whileBeating<T>(work: () => Promise<T>): Promise<T> {
  heartbeat();
  const timer = setInterval(() => heartbeat(), beatMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
