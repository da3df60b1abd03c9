import { activityInfo, heartbeat } from '@temporalio/activity';

import { guardActivities } from '../boundary.ts';
import type { WandbActivities } from './interface.ts';
import { mirrorExperimentRun } from './mirror-experiment-run.ts';
import { readExperimentResults } from './read-experiment-results.ts';
import { describeBaseline } from './describe-baseline.ts';
import { awaitLiveResults } from './await-live-results.ts';
import { findStrays, tendStray } from './stray-runs.ts';
import { syncExperimentRun } from './sync-experiment-run.ts';
import type { WandbDeps } from './wandb-deps.ts';
import { createWandbTools } from './wandb-tools.ts';

const beatMs = 5_000;

/** The activities of queue `wandb`: the only part that talks to W&B. */
export function createWandbActivities(deps: WandbDeps): WandbActivities {
  const tools = createWandbTools(deps);
  return guardActivities<WandbActivities>({
    syncRun: (input) => whileBeating(() => syncExperimentRun(tools, input)),
    mirrorRun: (input) => whileBeating((keep) => mirrorExperimentRun(tools, input, keep)),
    findStrays: ({ limit }) => whileBeating(() => findStrays(tools, limit)),
    tendStray: (stray) => whileBeating((keep) => tendStray(tools, stray, keep)),
    readResults: (input) => whileBeating(() => readExperimentResults(deps, input)),
    describeBaseline: (input) => whileBeating(() => describeBaseline(deps, input)),
    awaitLiveResults: (input) => whileBeating(() => awaitLiveResults(deps, input)),
  });
}

/** A heartbeat is also how an activity hears that it was cancelled. What is kept is there for the next try. */
async function whileBeating<T>(work: (keep: (details: unknown) => void) => Promise<T>): Promise<T> {
  // What an earlier try kept must not be wiped out by a beat of this one.
  let kept: unknown = activityInfo().heartbeatDetails;
  const beat = (): void => (kept === undefined ? heartbeat() : heartbeat(kept));
  const keep = (details: unknown): void => {
    kept = details;
    heartbeat(details);
  };
  beat();
  const timer = setInterval(beat, beatMs);
  try {
    return await work(keep);
  } finally {
    clearInterval(timer);
  }
}
