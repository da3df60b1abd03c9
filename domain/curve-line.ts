/** One curve as a line of text, for whoever sees no pictures. */
export interface CurveLine {
  readonly label: string;
  readonly first: number | null;
  /** The curve drawn with block characters. */
  readonly line: string;
  readonly last: number | null;
  readonly lastStep: number;
  /** Rows in which the metric was no finite number. */
  readonly gaps: number;
}
