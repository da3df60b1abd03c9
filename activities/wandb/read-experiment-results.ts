import { cancellationSignal } from '@temporalio/activity';

import type { Results, RunResult } from '../../domain/evidence.ts';
import { experimentTag } from '../../domain/ids.ts';
import type { TaskNote } from '../../domain/task-note.ts';
import { Failure } from '../../infra/failure.ts';
import type { HistoryPoint, RunPath, WandbRun } from '../../infra/wandb/wandb-client.ts';
import type { ResultsInput } from './interface.ts';
import type { WandbDeps } from './wandb-deps.ts';

type Metric = TaskNote['metric'];
type Baseline = NonNullable<TaskNote['baseline']>;

/** Points of a curve as asked from the server; it thins better than it was asked to. */
const samples = 500;
/** Points of a curve as kept: enough for a picture, few enough for a workflow's history. */
const curvePoints = 200;
/** Runs of a baseline; each costs two requests and up to 5 kB of history. */
const baselineRuns = 32;

/** Reads curves and final values back. Throws `WandbResultMissing` when a run or the baseline is not there. */
export async function readExperimentResults(deps: WandbDeps, input: ResultsInput): Promise<Results> {
  const runs: RunResult[] = [];
  for (const { seed, ...path } of input.runs) {
    const run = await deps.wandb.run(path, cancellationSignal());
    if (run === null)
      throw missingRun(deps, path, 'It was there when it was synced: was it deleted or moved?');
    runs.push(await toResult(deps, run, input.metric, seed));
  }
  const baseline = input.baseline === null ? null : await readBaseline(deps, input, input.baseline);
  return { runs, baseline };
}

async function readBaseline(
  deps: WandbDeps,
  input: ResultsInput,
  baseline: Baseline,
): Promise<Results['baseline']> {
  const found =
    'run' in baseline
      ? await namedRun(deps, baseline.run)
      : await experimentRuns(deps, input, baseline.experiment);
  const runs: RunResult[] = [];
  for (const run of found) runs.push(await toResult(deps, run, input.metric, seedOf(run)));
  return { name: 'run' in baseline ? baseline.run : baseline.experiment, runs };
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
async function experimentRuns(deps: WandbDeps, input: ResultsInput, experiment: string): Promise<WandbRun[]> {
  const [first] = input.runs;
  if (first === undefined) return [];
  const { entity, project } = first;
  const filter = { $or: [{ group: experiment }, { tags: experimentTag(experiment) }] };
  const own = new Set(input.runs.map(({ runId }) => runId));
  const found = await deps.wandb.runs({ entity, project }, filter, cancellationSignal());
  const finished = found.filter(({ runId, state }) => state === 'finished' && !own.has(runId));
  if (finished.length === 0) {
    throw new Failure(
      'WandbResultMissing',
      `The baseline experiment "${experiment}" has no finished run in ${entity}/${project} at ${deps.settings.baseUrl} (filter ${JSON.stringify(filter)}; ${found.length} runs fit, none of them finished and foreign). Give the baseline's runs the group "${experiment}" or the tag "${experimentTag(experiment)}", or put another baseline or null into the task note.`,
    );
  }
  return latestAttempt(finished).slice(0, baselineRuns);
}

const ownId = /-(a\d+)-s(\d+)-([^-]+)$/;

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

async function toResult(
  deps: WandbDeps,
  run: WandbRun,
  metric: Metric,
  seed: number | null,
): Promise<RunResult> {
  const points = thin(await deps.wandb.sampledHistory(run, metric.name, samples, cancellationSignal()));
  return {
    runId: run.runId,
    url: run.url,
    seed,
    value: finalValue(run.summary, metric),
    lastStep: run.lastStep ?? 0,
    rows: run.rows,
    curve: {
      label: seed === null ? run.displayName : `seed ${seed}`,
      seed,
      step: points.map(({ step }) => step),
      value: points.map(({ value }) => (value === null ? null : Number(value.toPrecision(6)))),
    },
  };
}

/** Evenly spaced, with the first and the last one. */
function thin(points: readonly HistoryPoint[]): readonly HistoryPoint[] {
  if (points.length <= curvePoints) return points;
  const stride = (points.length - 1) / (curvePoints - 1);
  const wanted = new Set(Array.from({ length: curvePoints }, (_, index) => Math.round(index * stride)));
  return points.filter((_, index) => wanted.has(index));
}

/**
 * The metric in the summary: a number, or what `define_metric(summary=…)` made of it. Names with dots may be nested.
 * Null when it is missing or no finite number.
 */
function finalValue(summary: Readonly<Record<string, unknown>>, { name, goal }: Metric): number | null {
  const value = summary[name] ?? name.split('.').reduce<unknown>(member, summary);
  if (typeof value !== 'object' || value === null) return finite(value);
  const best = goal === 'minimize' ? 'min' : 'max';
  const order = [best, 'best', 'last', 'mean', 'first', 'min', 'max'];
  const found = order.map((key) => finite(member(value, key))).find((each) => each !== null);
  return found ?? null;
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function finite(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** From the id that Hephaestus gave it, else from a `seed` in its config. */
function seedOf(run: WandbRun): number | null {
  const match = ownId.exec(run.runId);
  return match === null ? finite(member(run.config['seed'], 'value')) : Number(match[2]);
}

function missingRun(deps: WandbDeps, { entity, project, runId }: RunPath, advice: string): Failure {
  return new Failure(
    'WandbResultMissing',
    `W&B at ${deps.settings.baseUrl} has no run ${entity}/${project}/${runId}. ${advice}`,
  );
}
