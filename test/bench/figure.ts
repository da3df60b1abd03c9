export interface Figure {
  readonly what: string;
  readonly value: string;
  readonly target: string;
  readonly met: boolean;
}

/** Prints each figure beside its target; true when all are met. */
export function tellFigures(figures: readonly Figure[]): boolean {
  for (const { what, value, target, met } of figures) {
    console.log(`${met ? 'met   ' : 'MISSED'}  ${what}: ${value} (target: ${target})`);
  }
  return figures.every(({ met }) => met);
}
