import { cancellationSignal } from '@temporalio/activity';

import type { LiveResults, LiveRun } from '../../domain/evidence.ts';
import { Failure } from '../../infra/failure.ts';
import type { RunPath } from '../../infra/wandb/wandb-client.ts';
import type { LiveResultsInput } from './interface.ts';
import { readBaseline } from './read-experiment-results.ts';
import { toResult } from './to-result.ts';
import type { WandbDeps } from './wandb-deps.ts';

type Metric = LiveResultsInput['metric'];

/** What the server has of the runs so far; for people who watch, not for a decision. */
export async function readLiveResults(deps: WandbDeps, input: LiveResultsInput): Promise<LiveResults> {
  const asOf = new Date().toISOString();
  const place = await placeOf(deps, input.wandb);
  const runs: LiveRun[] = [];
  for (const { runId, seed } of input.runs) {
    runs.push(await readRun(deps, { ...place, runId }, seed, input.metric));
  }
  return { asOf, metric: input.metric, runs, baseline: await baselineSoFar(deps, place, input) };
}

/** Where the job's runs go: as the note says, else as the settings and the key say. */
async function placeOf({ wandb, settings }: WandbDeps, target: LiveResultsInput['wandb']) {
  const entity = target.entity ?? settings.entity ?? (await wandb.defaultEntity(cancellationSignal()));
  return { entity: entity ?? '', project: target.project };
}

async function readRun({ wandb }: WandbDeps, path: RunPath, seed: number, metric: Metric): Promise<LiveRun> {
  const { runId } = path;
  const run = await wandb.run(path, cancellationSignal());
  if (run === null) {
    const curve = { label: `seed ${seed}`, seed, step: [], value: [] };
    return { runId, url: '', seed, value: null, lastStep: 0, rows: 0, curve, state: null };
  }
  const result = await toResult(wandb, run, metric, seed);
  // The summary comes with the end of an offline run: until then the last row is the newest number there is.
  const last = result.curve.value.findLast((value) => value !== null) ?? null;
  return { ...result, value: last, state: run.state };
}

async function baselineSoFar(
  deps: WandbDeps,
  place: Omit<RunPath, 'runId'>,
  { runs, metric, baseline }: LiveResultsInput,
): Promise<LiveResults['baseline']> {
  if (baseline === null) return null;
  const own = runs.map(({ runId }) => ({ ...place, runId }));
  try {
    return await readBaseline(deps, { runs: own, metric }, baseline);
  } catch (error) {
    if (error instanceof Failure && error.type === 'WandbResultMissing') return null;
    throw error;
  }
}
