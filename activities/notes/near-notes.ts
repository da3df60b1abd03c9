import type { Catalogue } from './catalogue.ts';
import type { CataloguedNote } from './catalogued-note.ts';
import { indexPath } from './index-page.ts';
import { searchWords } from './search-words.ts';

export interface NearNote {
  readonly note: CataloguedNote;
  /** Why it is near, as words after a link. */
  readonly reason: string;
}

/** What an earlier note is compared with. */
export interface Question {
  readonly text: string;
  readonly metric: string;
  readonly repository: string;
  /** Paths that are linked for another reason, or are the note itself. */
  readonly without: readonly (string | null)[];
}

const mostNotes = 5;
const mostWords = 4;
/** Notes that have much less in common than the nearest one only make the list longer. */
const leastOfBest = 0.25;

/** Earlier notes about the same things, nearest first, each with what it has in common. */
export function nearNotes(catalogue: Catalogue, question: Question): NearNote[] {
  const asked = [question.text, question.metric, question.repository].join('\n');
  const found = catalogue
    .search(asked, 40)
    .filter(({ note }) => note.path !== indexPath && !question.without.includes(note.path));
  const best = found[0]?.score ?? 0;
  const generic = new Set(searchWords(`${question.metric} ${question.repository}`));
  const frequency = new Map<string, number>();
  for (const word of found.flatMap(({ words }) => words)) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  const often = (word: string): number => frequency.get(word) ?? 0;
  return found
    .filter(({ score }) => score >= best * leastOfBest)
    .flatMap(({ note, words }) => {
      // The rarest say most.
      const shared = words
        .filter((word) => !generic.has(word) && !/^\d+$/.test(word))
        .toSorted((a, b) => often(a) - often(b))
        .slice(0, mostWords);
      const sameMetric = question.metric !== '' && note.metric === question.metric;
      if (shared.length === 0 || (!sameMetric && shared.length < 2)) return [];
      const about = `about ${shared.join(', ')}`;
      return [{ note, reason: sameMetric ? `the same metric, ${about}` : about }];
    })
    .slice(0, mostNotes);
}
