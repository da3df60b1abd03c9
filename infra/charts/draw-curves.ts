import { fileURLToPath } from 'node:url';

import { renderAsync } from '@resvg/resvg-js';
import { Error as ErrorLevel, logger, parse, View } from 'vega';
import { compile } from 'vega-lite';

import type { Results } from '../../domain/evidence.ts';
import { type CurvesOptions, curvesSpec, pictureSize } from './curves-spec.ts';

/** Fonts come along as a package: a cloud machine may have none at all, and then a picture would have no words. */
const fontFiles = [
  import.meta.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'),
  import.meta.resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf'),
].map((url) => fileURLToPath(url));

/** Scripts that DejaVu Sans does not draw, such as Chinese: for these alone the machine's own fonts are asked. */
const beyondDejaVu = /[\u2E80-\u{10FFFF}]/u;

/**
 * Draws the metric's curves as a PNG, 1700 × 1100 dots for 680 × 440 CSS pixels, for a light or a dark page:
 * each seed thin, the mean bold, the baseline grey and dashed, each named at its end. The same input gives the same bytes. Values that are not finite are gaps; results without
 * any value give a picture that says so.
 */
export async function drawCurves(results: Results, options: CurvesOptions): Promise<Uint8Array> {
  const svg = await drawCurvesSvg(results, options);
  const image = await renderAsync(svg, {
    fitTo: { mode: 'width', value: pictureSize.width * 2.5 },
    font: {
      fontFiles,
      loadSystemFonts: beyondDejaVu.test(svg),
      defaultFontFamily: 'DejaVu Sans',
      sansSerifFamily: 'DejaVu Sans',
    },
  });
  return image.asPng();
}

/** The same picture as SVG text, for pages that draw it themselves. */
export async function drawCurvesSvg(results: Results, options: CurvesOptions): Promise<string> {
  const quiet = logger(ErrorLevel);
  const { spec } = compile(curvesSpec(results, options), { logger: quiet });
  const view = new View(parse(spec), { renderer: 'none', logger: quiet });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
