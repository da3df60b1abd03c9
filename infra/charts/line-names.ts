import type { Results } from '../../domain/evidence.ts';
import { type CurveRow, drawableRuns, type LineKind } from './curve-rows.ts';
import { shorten } from './fit-text.ts';
import { placeOf, type ValueRange } from './value-range.ts';

/** The name of a line, written beside its end: nobody has to look it up in a legend. */
export interface LineName {
  readonly kind: LineKind;
  /** Of its upper edge, CSS pixels from the top of the plot. */
  readonly y: number;
  readonly words: readonly string[];
}

/** CSS pixels. */
export const lineHeight = 18;

/** Letters that fit beside the plot. */
const nameLength = 16;

/** Names of the two thick lines, moved apart where their ends lie close to each other. */
export function lineNames(
  results: Results,
  rows: readonly CurveRow[],
  range: ValueRange,
  height: number,
): readonly LineName[] {
  const own = drawableRuns(results.runs);
  const other = drawableRuns(results.baseline?.runs ?? []);
  const candidates = [
    { kind: 'own-mean', words: ['this experiment', ...(own > 1 ? [`mean of ${own} seeds`] : [])] },
    {
      kind: 'baseline-mean',
      words: [
        'baseline',
        shorten(results.baseline?.name ?? '', nameLength),
        ...(other > 1 ? [`mean of ${other} runs`] : []),
      ],
    },
  ] as const;
  const wanted = candidates.flatMap(({ kind, words }) => {
    const end = rows.findLast((row) => row.kind === kind && row.value !== null)?.value;
    if (end === undefined || end === null) return [];
    const tall = words.length * lineHeight;
    return [{ kind, words, tall, y: height * (1 - placeOf(end, range)) - tall / 2 }];
  });
  return moveApart(
    wanted.toSorted((a, b) => a.y - b.y),
    height,
  );
}

type Wanted = LineName & { readonly tall: number };

/** Given from the upper to the lower one. */
function moveApart(names: readonly Wanted[], height: number): readonly LineName[] {
  const [upper, lower] = names;
  if (upper === undefined) return [];
  if (lower === undefined) return [{ ...upper, y: inside(upper.y, upper.tall, height) }];
  const gap = 8;
  const overlap = Math.max(0, upper.y + upper.tall + gap - lower.y);
  const first = Math.max(0, Math.min(upper.y - overlap / 2, height - upper.tall - gap - lower.tall));
  const second = Math.max(inside(lower.y + overlap / 2, lower.tall, height), first + upper.tall + gap);
  return [
    { ...upper, y: first },
    { ...lower, y: second },
  ];
}

function inside(y: number, tall: number, height: number): number {
  return Math.max(0, Math.min(y, height - tall));
}
