import { describe, expect, it } from 'vitest';

import type { Results, RunResult } from '../../../../domain/evidence.ts';
import { drawCurves, drawCurvesSvg } from '../../../../infra/charts/draw-curves.ts';

const options = { title: 'A warm-up', metric: { name: 'val/loss', goal: 'minimize' } } as const;

function run(seed: number, value: readonly (number | null)[], scale = 1): RunResult {
  const step = value.map((_, index) => index * scale);
  return {
    runId: `run-${seed}`,
    url: `http://wandb.example/run-${seed}`,
    seed,
    value: value.at(-1) ?? null,
    lastStep: step.at(-1) ?? 0,
    rows: value.length,
    curve: { label: `seed ${seed}`, seed, step, value },
  };
}

const falling = [2, 1.4, 1, 0.8, 0.7];
const slower = [2, 1.8, 1.5, 1.2, 1.1];
const against: Results = {
  runs: [run(0, falling), run(1, slower)],
  baseline: { name: 'first-baseline', runs: [run(2, slower), run(3, slower)] },
};

/** Width and height from a PNG's header. */
function pngSize(png: Uint8Array): { width: number; height: number } {
  const view = new DataView(png.buffer, png.byteOffset);
  expect([...png.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

/** The lines of data in an SVG: a path's movements, one `M` for each unbroken stretch. */
function linePaths(svg: string): string[] {
  const marks = /<g class="mark-line[^"]*"[\s\S]*?<\/g>/g;
  return [...svg.matchAll(marks)].flatMap(([group]) =>
    [...group.matchAll(/ d="([^"]*)"/g)].map((match) => match[1] ?? ''),
  );
}

describe('drawCurves', () => {
  it('gives a PNG for a screen with two and a half dots a pixel, the same bytes each time', async () => {
    const first = await drawCurves(against, options);
    const second = await drawCurves(structuredClone(against), options);
    expect(pngSize(first)).toEqual({ width: 1700, height: 1100 });
    expect(Buffer.from(first).equals(Buffer.from(second))).toBe(true);
  });

  it('gives another picture for other values', async () => {
    const other = await drawCurves({ ...against, runs: [run(0, slower)] }, options);
    expect(Buffer.from(other).equals(Buffer.from(await drawCurves(against, options)))).toBe(false);
  });

  it.each([
    ['one point', { runs: [run(0, [1])], baseline: null }],
    ['a constant', { runs: [run(0, [0, 0, 0])], baseline: null }],
    ['no values', { runs: [run(0, [])], baseline: null }],
    ['no runs', { runs: [], baseline: null }],
    ['only gaps', { runs: [run(0, [null, Number.NaN, Infinity])], baseline: null }],
    ['only a baseline', { runs: [], baseline: { name: 'b', runs: [run(0, falling)] } }],
    ['a million steps', { runs: [run(0, falling, 250_000)], baseline: null }],
    [
      'the largest numbers',
      { runs: [run(0, [1.7e308, -1.7e308]), run(1, [1.7e308, 1.7e308])], baseline: null },
    ],
    ['32 seeds', { runs: Array.from({ length: 32 }, (_, seed) => run(seed, falling)), baseline: null }],
  ] satisfies [string, Results][])('draws %s', async (_, results) => {
    expect(pngSize(await drawCurves(results, options))).toEqual({ width: 1700, height: 1100 });
  });
});

describe('drawCurvesSvg', () => {
  it('draws each seed and the mean of each side, and names them', async () => {
    const svg = await drawCurvesSvg(against, options);
    expect(linePaths(svg)).toHaveLength(6);
    for (const text of [
      'A warm-up',
      'val/loss (lower is better) · thin: each seed',
      'this experiment',
      'mean of 2 seeds',
      'baseline',
      'first-baseline',
      'mean of 2 runs',
      'training step',
    ]) {
      expect(svg).toContain(`>${text}<`);
    }
  });

  it('says which direction is better', async () => {
    const metric = { name: 'accuracy', goal: 'maximize' } as const;
    expect(await drawCurvesSvg(against, { ...options, metric })).toContain('accuracy (higher is better)');
  });

  it('breaks a line where a value is not finite, and shows a point that stands alone', async () => {
    const svg = await drawCurvesSvg(
      { runs: [run(0, [3, 2.5, Number.NaN, 2, null, 1.5, 1.2])], baseline: null },
      options,
    );
    const [path = ''] = linePaths(svg);
    expect(path.match(/M/g)).toHaveLength(3);
    expect(svg).toContain('aria-roledescription="circle"');
  });

  it('ends the mean where the shortest run ends', async () => {
    const svg = await drawCurvesSvg({ runs: [run(0, falling), run(1, [2, 1])], baseline: null }, options);
    const lengths = linePaths(svg).map((path) => path.match(/[ML]/g)?.length);
    expect(lengths).toEqual([5, 2, 2]);
  });

  it('is drawn for the page that it stands on', async () => {
    const light = await drawCurvesSvg(against, options);
    const dark = await drawCurvesSvg(against, { ...options, theme: 'dark' });
    expect(light).toContain('fill="#ffffff"');
    expect(dark).toContain('fill="#0d1117"');
    expect(dark).not.toContain('#0072b2');
  });

  it('takes a log scale for two decades, and says so', async () => {
    const wide = { runs: [run(0, [100, 10, 1, 0.5])], baseline: null };
    const svg = await drawCurvesSvg(wide, options);
    expect(svg).toContain('>val/loss (log scale)<');
    expect(await drawCurvesSvg(against, options)).not.toContain('log scale');
  });

  it('keeps names apart where the lines end at one place', async () => {
    const same = { ...against, baseline: { name: 'b', runs: [run(2, falling), run(3, slower)] } };
    const svg = await drawCurvesSvg(same, options);
    const places = ['this experiment', 'baseline'].map((word) =>
      Number(new RegExp(`translate\\([\\d.]+,([\\d.]+)\\)"[^>]*>(?:<tspan[^>]*>)?${word}<`).exec(svg)?.[1]),
    );
    expect(Math.abs((places[0] ?? Number.NaN) - (places[1] ?? Number.NaN))).toBeGreaterThanOrEqual(36);
  });

  it('says so when there is nothing to draw', async () => {
    const svg = await drawCurvesSvg({ runs: [run(0, [])], baseline: null }, options);
    expect(svg).toContain('No run has a value of this metric to draw.');
    expect(linePaths(svg)).toHaveLength(0);
  });

  it('keeps a long title, metric and baseline name inside the picture', async () => {
    const long = 'very-long-name-'.repeat(20);
    const svg = await drawCurvesSvg(
      { ...against, baseline: { name: long, runs: [run(2, slower)] } },
      { title: long, metric: { name: long, goal: 'minimize' } },
    );
    expect(svg).not.toContain(long);
    expect(svg).toContain('…');
  });

  it('escapes what would be markup', async () => {
    const svg = await drawCurvesSvg(against, { ...options, title: '<b>&"' });
    expect(svg).toContain('&lt;b&gt;&amp;"');
  });
});
