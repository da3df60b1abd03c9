import type { TopLevelSpec } from 'vega-lite';

import type { Results } from '../../domain/evidence.ts';
import type { TaskNote } from '../../domain/task-note.ts';
import { type CurveRow, curveRows, drawableRuns, type LineKind } from './curve-rows.ts';
import { shorten } from './fit-text.ts';

export interface CurvesOptions {
  readonly title: string;
  readonly metric: TaskNote['metric'];
  /** Small, without words on baseline, direction and seeds: one of many charts of a single run. */
  readonly bare?: boolean;
}

/** CSS pixels; the picture has twice as many dots each way. */
export const pictureSize = { width: 900, height: 480 } as const;

/** Of a bare one. */
const bareSize = { width: 520, height: 280 } as const;
const bareRoom = { left: 70, right: 20, top: 44, bottom: 52 } as const;

/**
 * Room around the plot for title, axes and legend. Fixed, so that two pictures can be laid over each other, and because
 * without a browser the widths of texts are only guessed: a layout that fits itself to guesses cuts long titles off.
 */
const room = { left: 92, right: 28, top: 74, bottom: 120 } as const;

/** Letters that are sure to fit beside the plot: a longer axis title would push the title out of the picture. */
const axisTitleLength = 27;

/**
 * Blue against grey differs for every kind of colour vision, and the baseline's dashes still tell them apart when the
 * picture is printed without colour.
 */
const looks: Readonly<Record<LineKind, { color: string; width: number; dash: number[] }>> = {
  'baseline-seed': { color: '#bdbdbd', width: 1.4, dash: [1, 0] },
  'baseline-mean': { color: '#6e6e6e', width: 2.6, dash: [7, 4] },
  'own-seed': { color: '#74b3de', width: 1.4, dash: [1, 0] },
  'own-mean': { color: '#0067a8', width: 3.5, dash: [1, 0] },
};

/** The legend names what matters most first; lines are drawn in the opposite order. */
const legendOrder: readonly LineKind[] = ['own-mean', 'own-seed', 'baseline-mean', 'baseline-seed'];

/** The picture as a vega-lite specification: the same input gives the same specification. */
export function curvesSpec(results: Results, options: CurvesOptions): TopLevelSpec {
  const rows = curveRows(results);
  const drawable = rows.some((row) => row.value !== null);
  const bare = options.bare === true;
  const size = bare ? bareSize : pictureSize;
  const around = bare ? bareRoom : room;
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    width: size.width - around.left - around.right,
    height: size.height - around.top - around.bottom,
    background: 'white',
    padding: around,
    autosize: 'none',
    title: {
      text: shorten(options.title, 72, 'beginning'),
      ...(!bare && { subtitle: subtitle(results, options.metric, drawable) }),
      anchor: 'start',
      frame: 'group',
      dx: 24 - around.left,
      offset: 16,
      fontSize: 16,
      subtitleFontSize: 13,
      subtitleColor: '#57606a',
      subtitlePadding: 6,
    },
    config: {
      font: 'DejaVu Sans',
      view: { stroke: null },
      axis: {
        labelFontSize: 12,
        titleFontSize: 13,
        titleFontWeight: 'normal',
        labelColor: '#424a53',
        titleColor: '#24292f',
        gridColor: '#e7eaed',
        domainColor: '#8c959f',
        tickColor: '#8c959f',
        titlePadding: 10,
        labelLimit: 0,
        titleLimit: 0,
      },
    },
    ...(drawable ? linesSpec(results, options, rows) : emptySpec()),
  } as TopLevelSpec;
}

function linesSpec(results: Results, { metric, bare }: CurvesOptions, rows: readonly CurveRow[]): object {
  const labels = legendLabels(results);
  const kinds = legendOrder.filter((kind) => rows.some((row) => row.kind === kind && row.value !== null));
  const domain = kinds.map((kind) => labels[kind]);
  const scale = (range: readonly unknown[]): object => ({
    type: 'nominal',
    scale: { type: 'ordinal', domain, range },
  });
  const legend = { orient: 'bottom', direction: 'horizontal', columns: 2, title: null, offset: 14 };
  const symbols = { labelFontSize: 13, labelLimit: 0, labelColor: '#24292f', symbolSize: 900 };
  const color = {
    field: 'series',
    ...scale(kinds.map((kind) => looks[kind].color)),
    legend:
      bare === true
        ? null
        : { ...legend, ...symbols, symbolType: 'stroke', columnPadding: 28, rowPadding: 5 },
  };
  return {
    data: { values: rows.map((row) => ({ ...row, series: labels[row.kind] })) },
    encoding: { x: stepAxis(rows), y: valueAxis(metric.name, rows), color },
    layer: [
      {
        mark: { type: 'line', strokeJoin: 'round', strokeCap: 'butt', clip: true },
        encoding: {
          detail: { field: 'line', type: 'nominal' },
          strokeWidth: { field: 'series', ...scale(kinds.map((kind) => looks[kind].width)) },
          strokeDash: { field: 'series', ...scale(kinds.map((kind) => looks[kind].dash)) },
        },
      },
      {
        transform: [{ filter: 'datum.alone' }],
        mark: { type: 'circle', size: 70, opacity: 1 },
      },
    ],
  };
}

function stepAxis(rows: readonly CurveRow[]): object {
  const steps = new Set(rows.map((row) => row.step));
  const [first = 0] = steps;
  const last = [...steps].reduce((most, step) => Math.max(most, step), 0);
  return {
    field: 'step',
    type: 'quantitative',
    title: 'step',
    axis: {
      grid: false,
      labelFlush: false,
      tickCount: 8,
      // Steps are whole numbers: half a step as a tick would be a lie; 1,000,000 is too wide to read.
      tickMinStep: 1,
      labelExpr: `format(datum.value, '${last >= 10_000 ? '~s' : ',d'}')`,
      ...(steps.size === 1 && { values: [first] }),
    },
    scale: { zero: false, nice: false, ...(steps.size === 1 && { domain: [first - 1, first + 1] }) },
  };
}

function valueAxis(name: string, rows: readonly CurveRow[]): object {
  const values = rows.map((row) => row.value).filter((value) => value !== null);
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const size = Math.max(Math.abs(low), Math.abs(high));
  const extreme = size >= 1e5 || (size > 0 && size < 1e-3);
  // A constant has no range of its own: some room on both sides keeps its one tick readable.
  const spread = size === 0 ? 1 : size * 0.1;
  return {
    field: 'value',
    type: 'quantitative',
    title: shorten(name, axisTitleLength),
    axis: { tickCount: 6, ...(extreme && { format: '~g' }) },
    scale: { zero: false, nice: true, ...(low === high && { domain: [low - spread, high + spread] }) },
  };
}

function legendLabels(results: Results): Record<LineKind, string> {
  const own = drawableRuns(results.runs);
  const other = drawableRuns(results.baseline?.runs ?? []);
  const name = shorten(results.baseline?.name ?? '', 32);
  return {
    'own-mean': own > 1 ? `this experiment, mean of ${own} seeds` : 'this experiment',
    'own-seed': 'each seed',
    'baseline-mean': other > 1 ? `baseline ${name}, mean of ${other} runs` : `baseline ${name}`,
    'baseline-seed': 'each baseline run',
  };
}

function subtitle(results: Results, metric: TaskNote['metric'], drawable: boolean): string {
  const direction = metric.goal === 'minimize' ? 'lower is better' : 'higher is better';
  const parts = [`${shorten(metric.name, 60)} (${direction})`];
  if (drawable && results.baseline === null) parts.push('no baseline');
  else if (drawable && drawableRuns(results.baseline?.runs ?? []) === 0)
    parts.push('baseline without values');
  if (drawable && drawableRuns(results.runs) === 0) parts.push('this experiment logged no value');
  return parts.join(' · ');
}

function emptySpec(): object {
  return {
    data: { values: [{}] },
    mark: { type: 'text', fontSize: 16, color: '#57606a' },
    encoding: { text: { value: 'No run has a value of this metric to draw.' } },
  };
}
