import type { LineKind } from './curve-rows.ts';

export type Theme = 'light' | 'dark';

export interface Colors {
  readonly background: string;
  readonly text: string;
  readonly muted: string;
  readonly grid: string;
  readonly axis: string;
  readonly lines: Readonly<Record<LineKind, string>>;
}

/** From the least to the most important. */
export const lineKinds: readonly LineKind[] = ['baseline-seed', 'baseline-mean', 'own-seed', 'own-mean'];

/** The dashes tell the baseline apart where colour does not: printed, or for eyes that see none. */
export const strokes: Readonly<
  Record<LineKind, { readonly width: number; readonly dash: readonly number[] }>
> = {
  'baseline-seed': { width: 1.3, dash: [1, 0] },
  'baseline-mean': { width: 2.8, dash: [7, 4] },
  'own-seed': { width: 1.3, dash: [1, 0] },
  'own-mean': { width: 3.6, dash: [1, 0] },
};

/**
 * The blues are those of Okabe and Ito ("Color Universal Design", 2008), which differ from grey for every kind of
 * colour vision. The backgrounds are GitHub's own, so that a picture has no edge on the page.
 */
export const themes: Readonly<Record<Theme, Colors>> = {
  light: {
    background: '#ffffff',
    text: '#1f2328',
    muted: '#4d5560',
    grid: '#e7eaed',
    axis: '#8c959f',
    lines: {
      'baseline-seed': '#bdbdbd',
      'baseline-mean': '#666666',
      'own-seed': '#7fb8d8',
      'own-mean': '#0072b2',
    },
  },
  dark: {
    background: '#0d1117',
    text: '#f0f6fc',
    muted: '#a8b1bb',
    grid: '#262c36',
    axis: '#656c76',
    lines: {
      'baseline-seed': '#5c626a',
      'baseline-mean': '#b4b9bf',
      'own-seed': '#2f6f99',
      'own-mean': '#56b4e9',
    },
  },
};
