import { fileURLToPath } from 'node:url';

import nunjucks from 'nunjucks';

import type { RunResult } from '../../../domain/evidence.ts';
import { drawCurvesSvg } from '../../charts/draw-curves.ts';
import { moment } from '../../templates/markdown-filters.ts';
import { parseLooseJson } from '../../wandb/loose-json.ts';
import type { Row } from './history.ts';
import { runFileUrl } from './run-fields.ts';
import { runState } from './run-record.ts';
import type { StoredRun } from './run-store.ts';
import type { Settings } from './settings.ts';

const templates = new nunjucks.Environment(
  new nunjucks.FileSystemLoader(fileURLToPath(new URL('templates', import.meta.url))),
  { autoescape: true },
);

/** A page with more pictures than this is slow to draw and nobody looks at them all. */
const chartLimit = 8;

/** Points of a curve: more than a chart of this size has dots. */
const chartPoints = 500;

/** A longer list helps nobody; the newest come first. */
const listLimit = 200;

/** The list of runs as a page. */
export async function runsPage(
  title: string,
  runs: readonly StoredRun[],
  settings: Settings,
): Promise<string> {
  const shown = await Promise.all(runs.slice(0, listLimit).map((run) => describe(run, settings)));
  return templates.render('runs.html', { title, runs: shown, hidden: runs.length - shown.length });
}

/** One run as a page: its curves, summary, config, files and output; it renews itself while the run lives. */
export async function runPage(run: StoredRun, settings: Settings): Promise<string> {
  const rows = await run.history.overview(chartPoints);
  const { record } = run;
  const charts = await Promise.all(
    metricNames(rows).map((name) =>
      drawCurvesSvg(
        { runs: [toResult(run, rows, name)], baseline: null },
        { title: name, metric: { name, goal: directionOf(name) }, bare: true },
      ),
    ),
  );
  return templates.render('run.html', {
    title: record.displayName,
    run: await describe(run, settings),
    charts,
    summary: entries(parseLooseJson(record.summary, 'text')),
    config: entries(parseLooseJson(record.config, 'text')),
    files: record.files.map((name) => ({ name, url: runFileUrl(run, '', name) })),
    output: (await run.output.tail(200)).join('\n'),
  });
}

async function describe(run: StoredRun, settings: Settings): Promise<object> {
  const { record } = run;
  const projectUrl = `/${encodeURIComponent(record.entity)}/${encodeURIComponent(record.project)}`;
  return {
    ...record,
    state: runState(record, Date.now(), settings.crashedAfterSeconds),
    rows: await run.history.count(),
    createdAt: new Date(record.createdAt).toISOString().slice(0, 19).replace('T', ' '),
    projectUrl,
    url: `${projectUrl}/runs/${encodeURIComponent(record.runId)}`,
  };
}

function metricNames(rows: readonly Row[]): string[] {
  const names = new Set(
    rows.flatMap((row) =>
      Object.keys(row).filter((key) => !key.startsWith('_') && typeof row[key] === 'number'),
    ),
  );
  return [...names].toSorted().slice(0, chartLimit);
}

/** Only for the caption: nobody tells a W&B server which direction is better. */
function directionOf(name: string): 'minimize' | 'maximize' {
  return /acc|f1|auc|bleu|reward|score|precision|recall/i.test(name) ? 'maximize' : 'minimize';
}

function toResult(run: StoredRun, rows: readonly Row[], name: string): RunResult {
  const points = rows.filter((row) => name in row && typeof row['_step'] === 'number');
  const step = points.map((row) => Number(row['_step']));
  const value = points.map((row) => (typeof row[name] === 'number' ? row[name] : null));
  return {
    runId: run.record.runId,
    url: '',
    seed: null,
    value: value.at(-1) ?? null,
    lastStep: step.at(-1) ?? 0,
    rows: rows.length,
    curve: { label: run.record.displayName, seed: null, step, value },
  };
}

function entries(value: unknown): { key: string; value: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value as Record<string, unknown>)
    .filter(([key]) => key !== '_wandb' && key !== 'wandb_version')
    .map(([key, each]) => ({ key, value: readable(key, unwrap(each)) }))
    .toSorted((a, b) => a.key.localeCompare(b.key));
}

/** As the real pages show values: rounded, without quotes, times as times. */
function readable(key: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'number') return JSON.stringify(value) ?? '';
  return key === '_timestamp'
    ? moment(new Date(value * 1000).toISOString())
    : `${Number(value.toPrecision(6))}`;
}

/** Config values come wrapped as `{ value }`. */
function unwrap(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('value' in value)) return value;
  return value.value;
}
