import type { TopLevelSpec } from 'vega-lite';

import type { Results } from '../../domain/evidence.ts';
import type { TaskNote } from '../../domain/task-note.ts';
import { type CurveRow, curveRows, drawableRuns } from './curve-rows.ts';
import { shorten } from './fit-text.ts';
import { lineHeight, lineNames } from './line-names.ts';
import { type Colors, lineKinds, strokes, type Theme, themes } from './looks.ts';
import { valueRange, type ValueRange } from './value-range.ts';

export interface CurvesOptions {
  readonly title: string;
  readonly metric: TaskNote['metric'];
  /** Of the page that the picture stands on; `light` when it is not given. */
  readonly theme?: Theme;
  /** Small, without words on baseline, direction and seeds: one of many charts of a single run. */
  readonly bare?: boolean;
}

/**
 * CSS pixels; the picture has two and a half times as many dots each way. No wider than this, so that on a telephone,
 * where the picture is drawn at half its size, its words can still be read.
 */
export const pictureSize = { width: 680, height: 440 } as const;

/** Of a bare one. */
const bareSize = { width: 520, height: 280 } as const;
const bareRoom = { left: 70, right: 20, top: 44, bottom: 52 } as const;

/**
 * Room around the plot for title, axes and the names of the lines. Fixed, so that two pictures can be laid over each
 * other, and because without a browser the widths of texts are only guessed: a layout that fits itself to guesses cuts
 * long titles off.
 */
const room = { left: 88, right: 156, top: 84, bottom: 66 } as const;

/** Letters that are sure to fit beside the plot: a longer axis title would push the title out of the picture. */
const axisTitleLength = 27;

/** The picture as a vega-lite specification: the same input gives the same specification. */
export function curvesSpec(results: Results, options: CurvesOptions): TopLevelSpec {
  const rows = curveRows(results);
  const drawable = rows.some((row) => row.value !== null);
  const bare = options.bare === true;
  const size = bare ? bareSize : pictureSize;
  const around = bare ? bareRoom : room;
  const plot = {
    width: size.width - around.left - around.right,
    height: size.height - around.top - around.bottom,
  };
  const colors = themes[options.theme ?? 'light'];
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    ...plot,
    background: colors.background,
    padding: around,
    autosize: 'none',
    title: {
      text: shorten(options.title, bare ? 48 : 52, 'beginning'),
      ...(!bare && { subtitle: subtitle(results, options.metric, drawable) }),
      anchor: 'start',
      frame: 'group',
      dx: 20 - around.left,
      offset: 18,
      color: colors.text,
      fontSize: bare ? 16 : 18,
      subtitleFontSize: 14,
      subtitleColor: colors.muted,
      subtitlePadding: 7,
    },
    config: {
      font: 'DejaVu Sans',
      view: { stroke: null },
      axis: {
        labelFontSize: bare ? 12 : 15,
        titleFontSize: bare ? 13 : 15,
        titleFontWeight: 'normal',
        labelColor: colors.muted,
        titleColor: colors.text,
        gridColor: colors.grid,
        domainColor: colors.axis,
        tickColor: colors.axis,
        titlePadding: 10,
        labelLimit: 0,
        titleLimit: 0,
      },
    },
    ...(drawable ? linesSpec(results, options, { rows, plot, colors }) : emptySpec(colors)),
  } as TopLevelSpec;
}

interface Drawing {
  readonly rows: readonly CurveRow[];
  readonly plot: { readonly width: number; readonly height: number };
  readonly colors: Colors;
}

function linesSpec(results: Results, { metric, bare }: CurvesOptions, drawing: Drawing): object {
  const { rows, plot, colors } = drawing;
  const kinds = lineKinds.filter((kind) => rows.some((row) => row.kind === kind && row.value !== null));
  const scale = (range: readonly unknown[]): object => ({
    field: 'kind',
    type: 'nominal',
    scale: { type: 'ordinal', domain: kinds, range },
    legend: null,
  });
  const range = valueRange(rows.flatMap(({ value }) => value ?? []));
  const names = bare === true ? [] : lineNames(results, rows, range, plot.height);
  return {
    data: { values: rows },
    encoding: {
      x: stepAxis(rows),
      y: valueAxis(metric.name, range),
      color: scale(kinds.map((kind) => colors.lines[kind])),
    },
    layer: [
      {
        mark: { type: 'line', strokeJoin: 'round', strokeCap: 'butt', clip: true },
        encoding: {
          detail: { field: 'line', type: 'nominal' },
          strokeWidth: scale(kinds.map((kind) => strokes[kind].width)),
          strokeDash: scale(kinds.map((kind) => strokes[kind].dash)),
        },
      },
      {
        transform: [{ filter: 'datum.alone' }],
        mark: { type: 'circle', size: 70, opacity: 1 },
      },
      ...names.map(({ kind, y, words }) => ({
        data: { values: [{}] },
        mark: { type: 'text', text: words, align: 'left', baseline: 'top', fontSize: 14, lineHeight },
        encoding: { x: { value: plot.width + 9 }, y: { value: y }, color: { value: colors.lines[kind] } },
      })),
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
    title: 'training step',
    axis: {
      grid: false,
      labelFlush: false,
      tickCount: 6,
      // Steps are whole numbers: half a step as a tick would be a lie; 1,000,000 is too wide to read.
      tickMinStep: 1,
      labelExpr: `format(datum.value, '${last >= 10_000 ? '~s' : ',d'}')`,
      ...(steps.size === 1 && { values: [first] }),
    },
    scale: { zero: false, nice: false, ...(steps.size === 1 && { domain: [first - 1, first + 1] }) },
  };
}

function valueAxis(name: string, { low, high, log }: ValueRange): object {
  const size = Math.max(Math.abs(low), Math.abs(high));
  const extreme = size >= 1e5 || (size > 0 && size < 1e-3);
  return {
    field: 'value',
    type: 'quantitative',
    title: `${shorten(name, axisTitleLength - (log ? 12 : 0))}${log ? ' (log scale)' : ''}`,
    axis: {
      tickCount: 6,
      ...((extreme || log) && { format: '~g' }),
      ...(log && { values: powersOfTen(low, high) }),
    },
    scale: { zero: false, nice: false, domain: [low, high], ...(log && { type: 'log' }) },
  };
}

/** Only these: a line for every tenth of a decade hides the curves. */
function powersOfTen(low: number, high: number): number[] {
  const first = Math.ceil(Math.log10(low));
  const count = Math.max(1, Math.floor(Math.log10(high)) - first + 1);
  // More than eight would stand on each other.
  const every = Math.ceil(count / 8);
  return Array.from({ length: Math.ceil(count / every) }, (_, index) => 10 ** (first + index * every));
}

function subtitle(results: Results, metric: TaskNote['metric'], drawable: boolean): string {
  const direction = metric.goal === 'minimize' ? 'lower is better' : 'higher is better';
  const own = drawableRuns(results.runs);
  const other = drawableRuns(results.baseline?.runs ?? []);
  const parts = [`${shorten(metric.name, 24)} (${direction})`];
  if (drawable && results.baseline === null) parts.push('no baseline');
  else if (drawable && other === 0) parts.push('baseline without values');
  if (drawable && own === 0) parts.push('this experiment logged no value');
  if (own > 1 || other > 1) parts.push('thin: each seed');
  return parts.join(' · ');
}

function emptySpec(colors: Colors): object {
  return {
    data: { values: [{}] },
    mark: { type: 'text', fontSize: 15, color: colors.muted },
    encoding: { text: { value: 'No run has a value of this metric to draw.' } },
  };
}
