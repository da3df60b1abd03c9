import { number, text } from '../../infra/templates/markdown-filters.ts';
import type { CataloguedNote } from './catalogued-note.ts';
import { block, type BlockName, replaceBlock } from './generated-block.ts';
import { noteLink } from './note-link.ts';

/** The map of content: what was tried, by result, metric and tag. */
export const indexPath = 'experiments.md';

/** A page that people read; of what is older, `notes table` and `notes search` tell. */
const mostRows = 200;
const mostLinks = 50;

/** The page with its generated parts renewed; what a person wrote around them stays. */
export function renderIndex(existing: string | null, notes: readonly CataloguedNote[]): string {
  const experiments = notes
    .filter(({ isExperiment }) => isExperiment)
    .toSorted((a, b) => compare(b.path, a.path));
  const parts: Readonly<Record<Exclude<BlockName, 'backlinks'>, string>> = {
    results: resultsTable(experiments),
    metrics: groups(experiments, ({ metric }) => (metric === '' ? [] : [metric])),
    tags: groups(experiments, ({ tags }) => tags.filter((tag) => tag !== 'experiment')),
  };
  let page = existing ?? emptyPage;
  for (const [name, content] of Object.entries(parts) as [keyof typeof parts, string][]) {
    page =
      replaceBlock(page, name, content) ??
      `${page.trimEnd()}\n\n${headings[name]}\n\n${block(name, content)}\n`;
  }
  return page;
}

const headings = { results: '## Results', metrics: '## By metric', tags: '## By tag' } as const;

const emptyPage = `---
title: Experiments
type: index
---

# Experiments

What was tried, what came of it, what it cost. Hephaestus writes the parts between its marks anew with every experiment; what you write around them stays.
`;

function resultsTable(experiments: readonly CataloguedNote[]): string {
  const rows = experiments.slice(0, mostRows).map((note) => {
    const { date, status, verdict, metric, value, baselineValue, delta, gpuHours } = note;
    const cells = [
      date.slice(0, 10),
      noteLink(note),
      text(status),
      text(verdict === 'none' ? '' : verdict.replaceAll('-', ' ')),
      text(metric, 80),
      shown(value),
      shown(baselineValue),
      shown(delta),
      shown(gpuHours),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| date | experiment | outcome | verdict | metric | value | baseline | delta | GPU hours |',
    '|---|---|---|---|---|--:|--:|--:|--:|',
    ...rows,
    ...olderLine(experiments.length - mostRows, '`hephaestus notes table`'),
  ].join('\n');
}

function groups(
  experiments: readonly CataloguedNote[],
  keysOf: (note: CataloguedNote) => readonly string[],
): string {
  const found = new Map<string, CataloguedNote[]>();
  for (const note of experiments) {
    for (const key of keysOf(note)) {
      const known = found.get(key);
      if (known === undefined) found.set(key, [note]);
      else known.push(note);
    }
  }
  return [...found]
    .toSorted(([a], [b]) => compare(a, b))
    .map(([key, notes]) =>
      [
        `### ${text(key, 80)}`,
        '',
        ...notes.slice(0, mostLinks).map((note) => `- ${noteLink(note)}: ${text(note.status)}`),
        ...olderLine(notes.length - mostLinks, '`hephaestus notes search`'),
      ].join('\n'),
    )
    .join('\n\n');
}

function olderLine(more: number, command: string): string[] {
  return more > 0 ? ['', `${more} older: ${command}`] : [];
}

function shown(value: number | null): string {
  return value === null ? '' : number(value);
}

/** By code points, so that every machine writes the same page. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
