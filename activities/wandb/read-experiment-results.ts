import { cancellationSignal } from '@temporalio/activity';

import type { Results, RunResult } from '../../domain/evidence.ts';
import { experimentTag } from '../../domain/ids.ts';
import type { TaskNote } from '../../domain/task-note.ts';
import { Failure } from '../../infra/failure.ts';
import type { RunPath, WandbRun } from '../../infra/wandb/wandb-client.ts';
import type { ResultsInput } from './interface.ts';
import { ownId, seedOf, toResult } from './to-result.ts';
import type { WandbDeps } from './wandb-deps.ts';

type Baseline = NonNullable<TaskNote['baseline']>;

/** What finding a baseline needs to know of the experiment's own runs: where they lie, and that they are none of it. */
export interface BaselineInput {
  readonly runs: readonly RunPath[];
  readonly metric: TaskNote['metric'];
}

/** Runs of a baseline; each costs two requests and up to 5 kB of history. */
const baselineRuns = 32;

/** Reads curves and final values back. Throws `WandbResultMissing` when a run or the baseline is not there. */
export async function readExperimentResults(deps: WandbDeps, input: ResultsInput): Promise<Results> {
  const runs: RunResult[] = [];
  for (const { seed, ...path } of input.runs) {
    const run = await deps.wandb.run(path, cancellationSignal());
    if (run === null)
      throw missingRun(deps, path, 'It was there when it was synced: was it deleted or moved?');
    runs.push(await toResult(deps.wandb, run, input.metric, seed));
  }
  const baseline = input.baseline === null ? null : await readBaseline(deps, input, input.baseline);
  return { runs, baseline };
}

/** Throws `WandbResultMissing` when the baseline is not there. */
export async function readBaseline(
  deps: WandbDeps,
  input: BaselineInput,
  baseline: Baseline,
): Promise<Results['baseline']> {
  const found = await findBaseline(deps, input.runs, baseline);
  const runs: RunResult[] = [];
  for (const run of found) runs.push(await toResult(deps.wandb, run, input.metric, seedOf(run)));
  return { name: 'run' in baseline ? baseline.run : baseline.experiment, runs };
}

/** The runs of a baseline, beside `own` runs. Throws `WandbResultMissing` when there are none. */
export async function findBaseline(
  deps: WandbDeps,
  own: readonly RunPath[],
  baseline: Baseline,
): Promise<readonly WandbRun[]> {
  return 'run' in baseline ? namedRun(deps, baseline.run) : experimentRuns(deps, own, baseline.experiment);
}

async function namedRun(deps: WandbDeps, name: string): Promise<WandbRun[]> {
  const [entity = '', project = '', runId = ''] = name.split('/');
  const run = await deps.wandb.run({ entity, project, runId }, cancellationSignal());
  if (run === null) {
    throw missingRun(
      deps,
      { entity, project, runId },
      'Put an existing run or null into "baseline" of the task note.',
    );
  }
  return [run];
}

/** The runs of an experiment carry its tag; runs that were made without Hephaestus may carry its name as their group. */
async function experimentRuns(
  deps: WandbDeps,
  own: readonly RunPath[],
  experiment: string,
): Promise<WandbRun[]> {
  const [first] = own;
  if (first === undefined) return [];
  const { entity, project } = first;
  const filter = { $or: [{ group: experiment }, { tags: experimentTag(experiment) }] };
  const ownIds = new Set(own.map(({ runId }) => runId));
  const found = await deps.wandb.runs({ entity, project }, filter, cancellationSignal());
  const finished = found.filter(({ runId, state }) => state === 'finished' && !ownIds.has(runId));
  if (finished.length === 0) {
    throw new Failure(
      'WandbResultMissing',
      `The baseline experiment "${experiment}" has no finished run in ${entity}/${project} at ${deps.settings.baseUrl} (filter ${JSON.stringify(filter)}; ${found.length} runs fit, none of them finished and foreign). Give the baseline's runs the group "${experiment}" or the tag "${experimentTag(experiment)}", or put another baseline or null into the task note.`,
    );
  }
  return latestAttempt(finished).slice(0, baselineRuns);
}

/** Newest first comes in; only the newest attempt counts, since an earlier one trained other code. */
function latestAttempt(runs: readonly WandbRun[]): readonly WandbRun[] {
  const [newest] = runs;
  const attempt = newest === undefined ? undefined : attemptOf(newest);
  return attempt === undefined ? runs : runs.filter((run) => attemptOf(run) === attempt);
}

function attemptOf({ runId }: WandbRun): string | undefined {
  const match = ownId.exec(runId);
  return match === null ? undefined : `${match[1]}-${match[3]}`;
}

function missingRun(deps: WandbDeps, { entity, project, runId }: RunPath, advice: string): Failure {
  return new Failure(
    'WandbResultMissing',
    `W&B at ${deps.settings.baseUrl} has no run ${entity}/${project}/${runId}. ${advice}`,
  );
}
