import type { CurveLine } from '../../domain/curve-line.ts';
import type { Results, RunResult } from '../../domain/evidence.ts';
import { sparkline } from '../../infra/charts/sparkline.ts';
import { placeOf, valueRange } from '../../infra/charts/value-range.ts';

/** Letters of one line: with its numbers it fits a telephone. */
const columns = 24;

/** The curves as lines of text, all on one scale, so that their heights can be compared. */
export function curveLines({ runs, baseline }: Results): readonly CurveLine[] {
  const others = baseline?.runs ?? [];
  const values = [...runs, ...others].flatMap(({ curve }) => curve.value.filter((value) => value !== null));
  if (values.length === 0) return [];
  const range = valueRange(values);
  const toLine = (run: RunResult, label: string): CurveLine => {
    const { value } = run.curve;
    return {
      label,
      first: value.find((each) => each !== null) ?? null,
      line: sparkline(value, columns, (each) => placeOf(each, range)),
      last: value.findLast((each) => each !== null) ?? null,
      lastStep: run.lastStep,
      gaps: run.gaps ?? value.filter((each) => each === null).length,
    };
  };
  return [
    ...runs.map((run) => toLine(run, run.curve.label)),
    ...others.map((run) => toLine(run, `baseline, ${run.curve.label}`)),
  ];
}
