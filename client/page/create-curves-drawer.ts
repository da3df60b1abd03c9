import { createHash } from 'node:crypto';

import { drawCurvesSvg } from '../../infra/charts/draw-curves.ts';
import type { ExperimentCurves } from '../../workflows/contract.ts';

export interface DrawingOptions {
  readonly theme: 'light' | 'dark';
  /** Small, for a list. */
  readonly small: boolean;
}

/** Draws curves as SVG text; what was drawn lately is not drawn again. */
export type CurvesDrawer = (curves: ExperimentCurves, options: DrawingOptions) => Promise<string>;

/** A picture has some tens of kilobytes. */
const kept = 200;

export function createCurvesDrawer(): CurvesDrawer {
  const pictures = new Map<string, Promise<string>>();
  return async (curves, options) => {
    const key = createHash('sha256')
      .update(JSON.stringify([curves, options]))
      .digest('hex');
    const known = pictures.get(key);
    const picture = known ?? draw(curves, options);
    // Moved to the end: the one that nobody asked for the longest goes first.
    pictures.delete(key);
    pictures.set(key, picture);
    const [oldest] = pictures.keys();
    if (pictures.size > kept && oldest !== undefined) pictures.delete(oldest);
    try {
      return await picture;
    } catch (error) {
      pictures.delete(key);
      throw error;
    }
  };
}

async function draw(
  { results, title, metric }: ExperimentCurves,
  { theme, small }: DrawingOptions,
): Promise<string> {
  const svg = await drawCurvesSvg(results, {
    title: small ? metric.name : title,
    metric,
    theme,
    bare: small,
  });
  // Whoever looks may not have the font; letters of nearly the same width are then taken, not those with feet.
  return svg.replaceAll('DejaVu Sans', 'DejaVu Sans, Verdana, sans-serif');
}
