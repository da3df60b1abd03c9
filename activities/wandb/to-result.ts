import { cancellationSignal } from '@temporalio/activity';

import type { RunResult } from '../../domain/evidence.ts';
import type { TaskNote } from '../../domain/task-note.ts';
import type { WandbClient, WandbRun } from '../../infra/wandb/wandb-client.ts';
import { thinCurve } from './thin-curve.ts';

type Metric = TaskNote['metric'];

/** Points of a curve as kept: enough for a picture, few enough for a workflow's history. */
const curvePoints = 200;

/** The end of the ids that Hephaestus gives: attempt, seed, token. */
export const ownId = /-(a\d+)-s(\d+)-([^-]+)$/;

/** Reads the whole history of the metric and keeps of it what a picture and a table need. */
export async function toResult(
  wandb: WandbClient,
  run: WandbRun,
  metric: Metric,
  seed: number | null,
): Promise<RunResult> {
  const history = await wandb.history(run, metric.name, cancellationSignal());
  const points = thinCurve(history, curvePoints);
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
    gaps: history.filter(({ value }) => value === null).length,
    runtimeSeconds: finite(run.summary['_runtime']),
  };
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
export function seedOf(run: WandbRun): number | null {
  const match = ownId.exec(run.runId);
  return match === null ? finite(member(run.config['seed'], 'value')) : Number(match[2]);
}
